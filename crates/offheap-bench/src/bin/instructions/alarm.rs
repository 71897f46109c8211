//! The alarm: two scenes of which the second executes some instructions more in each operation. Who compares the one with
//! the other must find that.

use std::hint::black_box;

use crate::{Row, Scene};

pub const ROWS: &[Row] = &[("alarm", || work(100)), ("alarm, planted growth", || work(106))];

/// Operations of so many steps.
fn work(steps: u64) -> Scene {
    let run = move |operations| {
        for _ in 0..operations {
            for step in 0..steps {
                black_box(step);
            }
        }
    };
    Scene::new(run, || {})
}
