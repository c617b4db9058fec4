//! The handler SWEEP_TRAIN: fits a curve to noisy points by gradient descent, with one set of parameters.
//!
//! The curve is a sum of Chebyshev polynomials up to a degree. Where the rate is too high the weights grow without end: such a
//! set of parameters fails for good, since no other attempt would do better.
//!
//! Only `+ - * /` on `f64` are used, in a fixed order, so that the same parameters give the same bits everywhere.

mod model;
mod points;
#[cfg(test)]
mod tests;

use bulkhead_sdk::Progress;
use bulkhead_sdk::prelude::*;

use model::Model;
use points::Points;

/// The highest degree: beyond it there are more weights than points to find them by.
const HIGHEST_DEGREE: usize = 64;

/// Fits a curve with one set of parameters.
#[derive(Debug, Default)]
pub struct Train;

/// One set of parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The degree of the curve.
    pub degree: usize,
    /// How far each step goes down the slope.
    pub rate: f64,
    /// How many steps there are.
    pub epochs: u32,
}

/// What the template says of the points.
#[derive(Debug, Deserialize)]
struct Settings {
    /// Another seed gives other points.
    seed: u64,
    /// How many there are: three in four to learn from, the others to judge by.
    points: usize,
}

/// What came of a set of parameters.
#[derive(Debug, Serialize)]
struct Trained {
    degree: usize,
    rate: f64,
    epochs: u32,
    /// The mean square error on points that it has not learned from.
    error: f64,
    /// The same on those that it has.
    training_error: f64,
    weights: Vec<f64>,
}

impl Handler for Train {
    const KIND: &'static str = "SWEEP_TRAIN";
    type Payload = Parameters;

    fn handle(&self, task: Task<Parameters>, context: &Context) -> Result<Outcome, Failure> {
        let Parameters { degree, rate, epochs } = task.payload;
        if degree > HIGHEST_DEGREE {
            let message = format!("`degree` must be {HIGHEST_DEGREE} at most, not {degree}");
            return Err(Failure::validation("bad_parameters", message));
        }
        let Settings { seed, points } = context.settings()?;
        let Points { learned, judged } = Points::new(seed, points, degree);
        let mut model = Model::new(degree);
        for epoch in 1..=epochs {
            model.step(rate, &learned);
            if !model.is_bounded() {
                let message =
                    format!("the weights grew without end from epoch {epoch} on; the rate {rate} is too high");
                return Err(Failure::permanent("diverged", message).with_details(json!({"epoch": epoch, "rate": rate})));
            }
            if epoch % 1000 == 0 {
                tell(context, epoch, epochs);
            }
        }
        let (error, training_error) = (model.error(&judged), model.error(&learned));
        complete(Trained { degree, rate, epochs, error, training_error, weights: model.weights })
    }
}

fn tell(context: &Context, epoch: u32, epochs: u32) {
    context.progress(&Progress {
        stage: "training".to_owned(),
        text: format!("epoch {epoch} of {epochs}"),
        fraction: Some(f64::from(epoch) / f64::from(epochs)),
        metadata: Value::Null,
    });
}

bulkhead_sdk::export!(Train);
