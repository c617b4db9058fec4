//! The points that a curve is fitted to.

/// A point, with the place already as what the weights are multiplied with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) features: Vec<f64>,
    pub(crate) value: f64,
}

/// Points to learn from, and points to judge by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Points {
    pub(crate) learned: Vec<Point>,
    pub(crate) judged: Vec<Point>,
}

/// Knuth's linear congruential generator.
struct Chance(u64);

impl Chance {
    /// A number in [0, 1) of 32 bits, which `f64` holds as it is.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as f64 / 4_294_967_296.0
    }
}

impl Points {
    /// Points near Runge's function, `1 / (1 + 25 x²)`.
    pub(crate) fn new(seed: u64, count: usize, degree: usize) -> Self {
        let mut chance = Chance(seed);
        let mut point = || {
            let place = 2.0 * chance.next() - 1.0;
            let noise = chance.next() + chance.next() + chance.next() - 1.5;
            Point { features: chebyshev(place, degree), value: 1.0 / (1.0 + 25.0 * place * place) + 0.1 * noise }
        };
        let mut learned: Vec<Point> = (0..count).map(|_| point()).collect();
        let judged = learned.split_off(count * 3 / 4);
        Self { learned, judged }
    }
}

/// The Chebyshev polynomials up to a degree.
fn chebyshev(place: f64, degree: usize) -> Vec<f64> {
    let mut values = vec![1.0, place];
    for next in 2..=degree {
        values.push(2.0 * place * values[next - 1] - values[next - 2]);
    }
    values.truncate(degree + 1);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_those_of_chebyshev() {
        assert_eq!(chebyshev(0.5, 3), [1.0, 0.5, -0.5, -1.0]);
        assert_eq!(chebyshev(0.5, 0), [1.0]);
    }

    #[test]
    fn three_points_in_four_are_learned_from_and_another_seed_gives_others() {
        let points = Points::new(7, 200, 2);
        assert_eq!((points.learned.len(), points.judged.len()), (150, 50));
        assert_eq!(points, Points::new(7, 200, 2));
        assert_ne!(points, Points::new(8, 200, 2));
        let places = points.learned.iter().map(|point| point.features[1]);
        assert!(places.clone().all(|place| (-1.0..1.0).contains(&place)) && places.clone().any(|place| place < -0.5));
    }
}
