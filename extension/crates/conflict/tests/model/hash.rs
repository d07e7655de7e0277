//! A hash wide enough to stand for what was hashed: millions of worlds are remembered by it.

use std::hash::Hasher;

#[derive(Default)]
pub struct Digest {
    one: u64,
    two: u64,
}

impl Digest {
    pub fn value(&self) -> u128 {
        (u128::from(self.one) << 64) | u128::from(self.two)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
        self.write_u64(bytes.len() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.one = fold(self.one ^ word ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db) ^ word;
        self.two = fold(self.two.rotate_left(23) ^ word ^ 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3) ^ word;
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(n.into());
    }

    fn write_i32(&mut self, n: i32) {
        self.write_u64(n as u64);
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.one ^ self.two
    }
}

/// Numbers by chance, from a seed.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = fold(self.0 ^ 0xe703_7ed1_a0b4_28db, 0xa076_1d64_78bd_642f);
        ((u128::from(fold(mixed, 0x8ebc_6af0_9c88_c6e3)) * end as u128) >> 64) as usize
    }
}

/// For sets of digests, which need no hashing of their own.
#[derive(Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only digests are kept")
    }

    fn write_u128(&mut self, n: u128) {
        self.0 = n as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
