//! Depth diffs into an order book, and its ten best levels out: ours against a `BTreeMap` a side.
//!
//! The map only keeps levels; ours also follows the venue's numbering, and so finds gaps.

mod market;

use std::collections::BTreeMap;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::engine::book::Book;
use foretick::event::{Batch, Body, Depth, Level};
use foretick::instrument::InstrumentId;
use foretick::units::{Nanos, Price, Size};

fn main() {
    divan::main();
}

/// The cost of measuring: looks at each diff and keeps nothing.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    each_depth(bencher, || (), |(), _, bids, asks| bids.len() + asks.len());
}

#[divan::bench]
fn foretick(bencher: Bencher<'_, '_>) {
    each_depth(bencher, Book::default, |book, depth, bids, asks| {
        book.apply(depth, bids, asks, Nanos::UNDEFINED);
        let best = book.bids().take(LEVELS).chain(book.asks().take(LEVELS));
        best.map(|level| level.size.to_f64() as usize).sum()
    });
}

#[divan::bench]
fn btree_map(bencher: Bencher<'_, '_>) {
    type Side = BTreeMap<Price, Size>;
    fn change(side: &mut Side, levels: &[Level]) {
        for level in levels {
            if level.size == Size::ZERO {
                side.remove(&level.price);
            } else {
                side.insert(level.price, level.size);
            }
        }
    }
    each_depth(
        bencher,
        <(Side, Side)>::default,
        |(buy, sell), depth, bids, asks| {
            if depth.snapshot.is_some() {
                buy.clear();
                sell.clear();
            }
            change(buy, bids);
            change(sell, asks);
            let best = buy
                .values()
                .rev()
                .take(LEVELS)
                .chain(sell.values().take(LEVELS));
            best.map(|size| size.to_f64() as usize).sum()
        },
    );
}

const LEVELS: usize = 10;

/// Runs all depth events of the first instrument through a book made anew each time.
fn each_depth<B>(
    bencher: Bencher<'_, '_>,
    new: impl Fn() -> B,
    take: impl Fn(&mut B, &Depth, &[Level], &[Level]) -> usize,
) {
    let (batch, _) = market::decoded(&market::capture());
    let depths = depths_of(&batch, InstrumentId(0));
    bencher
        .counter(ItemsCount::new(depths.len()))
        .with_inputs(&new)
        .bench_local_refs(|book| {
            for depth in &depths {
                let (bids, asks) = batch.levels(depth);
                black_box(take(book, depth, bids, asks));
            }
        });
}

fn depths_of(batch: &Batch, instrument: InstrumentId) -> Vec<Depth> {
    let of_instrument = batch
        .events
        .iter()
        .filter(|event| event.instrument == instrument);
    of_instrument
        .filter_map(|event| match event.body {
            Body::Depth(depth) => Some(depth),
            _ => None,
        })
        .collect()
}
