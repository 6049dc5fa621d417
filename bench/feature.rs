//! A trade to a row of eight features, those of the common job: our compiled plan against plain code that
//! recomputes every window from its values.

mod market;

use std::collections::VecDeque;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::engine::book::Book;
use foretick::engine::feature::{FeatureState, Fired, MarketUpdate};
use foretick::event::{Body, Trade};
use foretick::instrument::InstrumentId;
use foretick::units::Side;

fn main() {
    divan::main();
}

/// The cost of measuring: looks at each trade.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    each_trade(
        bencher,
        || (),
        |(), now, trade| now as f64 + trade.price.to_f64(),
    );
}

#[divan::bench]
fn foretick(bencher: Bencher<'_, '_>) {
    let plan = market::pipeline("bench/pipelines/common-job-a", &[]).plan;
    let book = Book::default();
    let new = || {
        let row = vec![0.0; plan.len()];
        (FeatureState::new(&plan), Fired::default(), row)
    };
    each_trade(bencher, new, |(features, fired, row), now, trade| {
        let update = MarketUpdate {
            now,
            trade: Some(trade),
            top: None,
            top_set: false,
            book: &book,
            book_set: false,
            bar: None,
            figure: None,
        };
        features.apply(&plan, &update, fired);
        features.row(&plan, now, row, fired);
        row[0]
    });
}

#[divan::bench]
fn recomputed(bencher: Bencher<'_, '_>) {
    each_trade(bencher, Recomputed::default, Recomputed::row);
}

/// Keeps the values, and goes over all of them at each trade.
#[derive(Default)]
struct Recomputed {
    last: Option<(i64, f64)>,
    second: VecDeque<(i64, f64)>,
    returns: VecDeque<f64>,
    trades: VecDeque<(f64, f64, f64)>,
    ema: Option<f64>,
}

impl Recomputed {
    fn row(&mut self, now: i64, trade: &Trade) -> f64 {
        let (price, size) = (trade.price.to_f64(), trade.size.to_f64());
        let signed = if trade.side == Some(Side::Buy) {
            size
        } else {
            -size
        };
        slide(&mut self.trades, (price * size, size, signed));
        let Some((before, price_before)) = self.last.replace((now, price)) else {
            return 0.0;
        };
        let (step, wait) = (
            libm::log(price / price_before),
            (now - before) as f64 * 1e-9,
        );
        slide(&mut self.returns, step);
        self.second.push_back((now, step));
        while self
            .second
            .front()
            .is_some_and(|old| old.0 <= now - 1_000_000_000)
        {
            self.second.pop_front();
        }
        let ema = self.ema.map_or(wait, |ema| ema + 0.05 * (wait - ema));
        self.ema = Some(ema);
        let count = self.second.len() as f64;
        let mean = self.second.iter().map(|x| x.1).sum::<f64>() / count;
        let squares: f64 = self
            .second
            .iter()
            .map(|x| (x.1 - mean) * (x.1 - mean))
            .sum();
        let least = self.returns.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self
            .returns
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let sum = |of: fn(&(f64, f64, f64)) -> f64| self.trades.iter().map(of).sum::<f64>();
        let (notional, sizes, flow) = (sum(|x| x.0), sum(|x| x.1), sum(|x| x.2));
        let deviation = price * sizes / notional - 1.0;
        let std = (squares / count).sqrt();
        black_box([step, mean, std, least, most, deviation, flow / sizes, ema])[0]
    }
}

/// Adds a value to the last hundred.
fn slide<T>(window: &mut VecDeque<T>, value: T) {
    window.push_back(value);
    if window.len() > 100 {
        window.pop_front();
    }
}

/// Runs all trades of the first instrument through features made anew each time.
fn each_trade<F>(
    bencher: Bencher<'_, '_>,
    new: impl Fn() -> F,
    take: impl Fn(&mut F, i64, &Trade) -> f64,
) {
    let (batch, _) = market::decoded(&market::capture());
    let of_instrument = batch
        .events
        .iter()
        .filter(|event| event.instrument == InstrumentId(0));
    let trades: Vec<(i64, Trade)> = of_instrument
        .filter_map(|event| match event.body {
            Body::Trade(trade) => Some((event.ts_event.0, trade)),
            _ => None,
        })
        .collect();
    bencher
        .counter(ItemsCount::new(trades.len()))
        .with_inputs(&new)
        .bench_local_refs(|features| {
            for (now, trade) in &trades {
                black_box(take(features, *now, trade));
            }
        });
}
