//! A curve, and how it learns.

use crate::points::Point;

/// Weights beyond this do not come back.
const BOUND: f64 = 1e6;

/// A sum of polynomials.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) weights: Vec<f64>,
}

impl Model {
    pub(crate) fn new(degree: usize) -> Self {
        Self { weights: vec![0.0; degree + 1] }
    }

    /// How far the curve is from a point.
    fn distance(&self, point: &Point) -> f64 {
        let mut value = 0.0;
        for (weight, feature) in self.weights.iter().zip(&point.features) {
            value += weight * feature;
        }
        value - point.value
    }

    /// One step down the slope of the mean square error.
    pub(crate) fn step(&mut self, rate: f64, points: &[Point]) {
        let mut slope = vec![0.0; self.weights.len()];
        for point in points {
            let distance = self.distance(point);
            for (part, feature) in slope.iter_mut().zip(&point.features) {
                *part += distance * feature;
            }
        }
        for (weight, part) in self.weights.iter_mut().zip(slope) {
            *weight -= rate * part / points.len() as f64;
        }
    }

    /// Whether all weights are numbers that lead somewhere.
    pub(crate) fn is_bounded(&self) -> bool {
        self.weights.iter().all(|weight| weight.abs() < BOUND)
    }

    /// The mean square error.
    pub(crate) fn error(&self, points: &[Point]) -> f64 {
        let mut sum = 0.0;
        for point in points {
            let distance = self.distance(point);
            sum += distance * distance;
        }
        sum / points.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_points_is_found() {
        let point = |place: f64| Point { features: vec![1.0, place], value: 3.0 - 2.0 * place };
        let points: Vec<Point> = [-1.0, -0.5, 0.0, 0.5, 1.0].map(point).into();
        let mut model = Model::new(1);
        for _ in 0..200 {
            model.step(0.5, &points);
        }
        assert!((model.weights[0] - 3.0).abs() < 1e-9 && (model.weights[1] + 2.0).abs() < 1e-9, "{model:?}");
        assert!(model.error(&points) < 1e-12 && model.is_bounded());
    }

    #[test]
    fn what_is_no_number_is_not_bounded() {
        assert!(!Model { weights: vec![0.0, f64::NAN] }.is_bounded());
        assert!(!Model { weights: vec![f64::NEG_INFINITY] }.is_bounded());
    }
}
