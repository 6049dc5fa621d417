//! How long answers take: the subjects in turns, several rounds of each, their histograms pooled.
//!
//! In turns, because a machine is not the same from one minute to the next: the ratios are of the same
//! minutes.

use hdrhistogram::Histogram;

use super::load::Load;
use super::subject::Subject;
use super::topics;

/// Measures all subjects at one rate and prints a table. Whether every trade was answered, once and in its
/// turn.
pub(crate) fn compare(bootstrap: &str, rate: u64, rounds: u64) -> bool {
    println!("\n{rate} trades a second, {rounds} rounds in turns; µs from when a trade was due");
    let mut pooled = Subject::ALL.map(|_| histogram());
    let mut is_sound = true;
    for round in 0..rounds {
        for (latency, subject) in pooled.iter_mut().zip(Subject::ALL) {
            let topics = topics::create(bootstrap, &format!("{}.{rate}.{round}", subject.name()));
            let running = subject.start(bootstrap, &topics);
            let load = Load {
                rate,
                silent_first: subject.is_silent_first(),
            };
            let outcome = load.run(bootstrap, &topics);
            drop(running);
            println!("    {:<15} {outcome}", subject.name());
            is_sound &= outcome.is_sound();
            latency
                .add(&outcome.latency)
                .expect("both have the same bounds");
        }
    }
    table(&pooled);
    is_sound
}

const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// The first subject, the echo, is what the others are compared with.
fn table(pooled: &[Histogram<u64>; 4]) {
    println!(
        "{:>24} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "p50", "p90", "p99", "p99.9", "max"
    );
    let micros = |latency: &Histogram<u64>, at| latency.value_at_quantile(at) as f64 / 1e3;
    for (subject, latency) in Subject::ALL.iter().zip(pooled) {
        let cells = QUANTILES.map(|at| format!("{:>9.0}", micros(latency, at)));
        println!("{:>24} {}", subject.name(), cells.join(" "));
    }
    for (subject, latency) in Subject::ALL.iter().zip(pooled).skip(1) {
        let ratio = |at| micros(latency, at) / micros(&pooled[0], at);
        let cells = QUANTILES.map(|at| format!("{:>9.2}", ratio(at)));
        println!(
            "{:>24} {}",
            format!("{} / echo", subject.name()),
            cells.join(" ")
        );
    }
}

/// From 1 ns to 60 s, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid")
}
