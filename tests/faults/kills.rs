//! SIGKILL of the engine at random moments.

use std::time::Duration;

use super::verify::verify;
use super::world::{Dice, World};
use crate::needs;

/// How often the engine is killed, and the seed: more by `FORETICK_FAULTS_KILLS` and `FORETICK_FAULTS_SEED`.
fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn a_killed_engine_writes_each_signal_once() {
    let Some(bootstrap) = needs::kafka("a_killed_engine_writes_each_signal_once") else {
        return;
    };
    let (kills, seed) = (
        number("FORETICK_FAULTS_KILLS", 5),
        number("FORETICK_FAULTS_SEED", 1),
    );
    println!("seed {seed}, {kills} kills");
    let mut dice = Dice::new(seed);
    let mut world = World::new(bootstrap, "kills", seed, 60, 4);
    world.set = vec![
        "sink.delivery=exactly_once".to_owned(),
        format!(
            "state.dir={:?}",
            world.folder.path("state").display().to_string()
        ),
        "state.every_ms=300".to_owned(),
    ];
    let world = world;
    std::thread::scope(|scope| {
        // Records come all the time, so that kills meet an engine that works.
        let filling = scope.spawn(|| {
            let parts = (kills * 40) as usize;
            world.fill_over(parts, Duration::from_secs(4 * kills));
        });
        for _ in 0..kills {
            let engine = world.start("a", &[]);
            std::thread::sleep(dice.millis(1_500, 5_500));
            // Dropping it is SIGKILL.
            drop(engine);
        }
        filling.join().expect("the topic takes records");
    });
    let mut engine = world.start("a", &["--until-end"]);
    assert_eq!(engine.join(), Some(0), "{}", engine.stderr());
    let verdict = verify(&world);
    println!("{verdict:?}");
    assert!(
        verdict.expected > 1_000 && verdict.is_clean(),
        "{verdict:?}"
    );
}
