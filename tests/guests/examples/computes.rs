//! Computes as real handlers do, by its payload: a sieve of primes, a product of matrices, sorting, or hashing bytes.

use bulkhead_guests::*;

guest!("COMPUTE", |task| {
    let answer = match task.payload.trim_matches('"') {
        "sieve" => sieve(2_000_000),
        "matrix" => matrix(160),
        "sort" => sort(300_000),
        _ => hash(4 << 20),
    };
    complete(answer.to_string())
});

fn sieve(end: usize) -> u64 {
    let mut composite = vec![false; end];
    let mut primes = 0;
    for number in 2..end {
        if !composite[number] {
            primes += 1;
            for multiple in (number * number..end).step_by(number) {
                composite[multiple] = true;
            }
        }
    }
    primes
}

fn matrix(size: usize) -> u64 {
    let cell = |row: usize, column: usize| ((row * 31 + column * 17) % 97) as f64;
    let left: Vec<f64> = (0..size * size).map(|at| cell(at / size, at % size)).collect();
    let right: Vec<f64> = (0..size * size).map(|at| cell(at % size, at / size)).collect();
    let mut sum = 0.0;
    for row in 0..size {
        for column in 0..size {
            sum += (0..size).map(|at| left[row * size + at] * right[at * size + column]).sum::<f64>();
        }
    }
    sum as u64
}

fn sort(length: usize) -> u64 {
    let mut numbers: Vec<u64> = Vec::with_capacity(length);
    let mut next = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..length {
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        numbers.push(next);
    }
    numbers.sort_unstable();
    numbers[length / 2]
}

fn hash(bytes: usize) -> u64 {
    let block: Vec<u8> = (0..bytes).map(|at| at as u8).collect();
    block.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
