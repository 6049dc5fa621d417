//! The information coefficient by horizon against a slow twin: a list of all mids, walked through for each
//! signal, and the textbook formula.

use std::sync::Arc;

use foretick::command::evaluate::{EvaluationOptions, evaluate};
use foretick::engine::row_maker::RowMaker;
use foretick::event::Batch;
use foretick::frame::Origin;
use foretick::pipeline::Pipeline;
use foretick::units::Nanos;

use crate::given::{self, Folder};

/// What is known after an event: its time, the mid, and the gaps and silences so far.
type Known = (i64, Option<f64>, u64);

/// What is known after each event, and the rows: the place among these, the time, and the sum of the
/// features, which is the score.
fn walked(pipeline: &Pipeline, text: &str) -> (Vec<Known>, Vec<(usize, i64, f64)>) {
    let mut decoder = pipeline.decoder();
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    let (mut batch, mut cells) = (Batch::default(), vec![0.0; pipeline.plan.len()]);
    let (mut known, mut scores) = (vec![], vec![]);
    for line in text.lines() {
        batch.clear();
        let origin = Origin {
            ts_recv: Nanos(0),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        decoder
            .decode(origin, line.as_bytes(), &mut batch)
            .expect("the test wrote it");
        for event in &batch.events {
            let row = rows.apply(&batch, event, &mut cells);
            let Some(point) = rows.label_point(event.instrument) else {
                continue;
            };
            known.push((point.now.0, point.mid, point.breaks));
            if let Some(row) = row {
                scores.push((known.len() - 1, row.ts_event.0, cells.iter().sum::<f64>()));
            }
        }
    }
    (known, scores)
}

/// The scores and moves at a horizon, and how many rows have a gap before it.
fn moves(known: &[Known], scores: &[(usize, i64, f64)], horizon: i64) -> (Vec<[f64; 2]>, u64) {
    let (mut pairs, mut broken) = (vec![], 0);
    for (from, ts, score) in scores {
        let due = ts + horizon;
        let Some(next) = known.iter().position(|(now, ..)| *now > due) else {
            continue;
        };
        let (_, after, _) = known[next - 1];
        let (_, before, breaks) = known[*from];
        if known[next].2 != breaks {
            broken += 1;
        } else if let Some((before, after)) = before.zip(after) {
            pairs.push([*score, 1e4 * (after / before - 1.0)]);
        }
    }
    (pairs, broken)
}

fn pearson(pairs: &[[f64; 2]]) -> f64 {
    let rows = pairs.len() as f64;
    let mean = |at: usize| pairs.iter().map(|pair| pair[at]).sum::<f64>() / rows;
    let (mx, my) = (mean(0), mean(1));
    let sum = |of: &dyn Fn(&[f64; 2]) -> f64| pairs.iter().map(of).sum::<f64>();
    let xy = sum(&|[x, y]| (x - mx) * (y - my));
    let xx = sum(&|[x, _]| (x - mx).powi(2));
    let yy = sum(&|[_, y]| (y - my).powi(2));
    xy / (xx * yy).sqrt()
}

#[test]
fn the_coefficient_by_horizon_is_that_of_a_slow_twin() {
    let text = given::capture(45, 12, &["BTCUSDT"]);
    // Of a market that is never silent, and of one that often is: no move goes across that.
    let silent = "stale_after_ms = 150\nmax_gap_ms = 150";
    let silent = given::SMALL.replace("stale_after_ms = 1_000", silent);
    let (mut gaps, mut compared) = (0, 0);
    for (name, pipeline) in [("moves", given::SMALL), ("moves-silent", &silent)] {
        let folder = Folder::new(name);
        let pipeline = folder.pipeline(pipeline, &[]);
        let (known, scores) = walked(&pipeline, &text);
        let horizons = vec![20_000_000, 100_000_000, 500_000_000];
        let options = EvaluationOptions {
            inputs: vec![folder.write("capture", &text)],
            horizons: horizons.clone(),
            ..EvaluationOptions::default()
        };
        // Of a span, the signals in it alone, with windows that earlier events have warmed.
        let middle = scores[scores.len() / 2].1;
        let within = EvaluationOptions {
            from: Some(Nanos(middle)),
            to: Some(Nanos(middle + 5_000_000_000)),
            ..options.clone()
        };
        let later = evaluate(&pipeline, &within).expect("the capture is sound");
        let in_span = |row: &&(usize, i64, f64)| (middle..middle + 5_000_000_000).contains(&row.1);
        let own: Vec<_> = scores.iter().filter(in_span).copied().collect();
        for ic in &later.ic_decay.expect("horizons were asked for").by_horizon {
            let (pairs, _) = moves(&known, &own, ic.horizon_ns);
            assert_eq!(ic.rows, pairs.len() as u64, "{name}");
            let twin = pearson(&pairs);
            let far = ic.ic_pearson.map_or(0.0, |found| (found - twin).abs());
            assert!(far < 1e-9, "{name}, of a span: {twin} in {ic:?}");
        }
        let report = evaluate(&pipeline, &options).expect("the capture is sound");
        let decay = report.ic_decay.expect("horizons were asked for");
        for (ic, horizon) in decay.by_horizon.iter().zip(horizons) {
            let (pairs, broken) = moves(&known, &scores, horizon);
            assert_eq!((ic.rows, ic.broken), (pairs.len() as u64, broken), "{name}");
            let twin = pearson(&pairs);
            let far = ic.ic_pearson.map_or(0.0, |found| (found - twin).abs());
            assert!(far < 1e-9, "{name}, {horizon}: {twin} in {ic:?}");
            compared += u64::from(ic.ic_pearson.is_some());
            gaps += broken;
        }
    }
    assert!(gaps > 0 && compared > 3, "{gaps} gaps, {compared} compared");
}
