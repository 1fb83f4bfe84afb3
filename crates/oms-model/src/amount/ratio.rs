//! Products divided without losing a digit on the way.

/// `a * b / c`, rounded down, with the remainder; `None` where `c` is zero or the quotient is out of range.
#[must_use]
pub fn mul_div(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
    if c == 0 {
        return None;
    }
    if let Some(product) = a.checked_mul(b) {
        return Some((product / c, product % c));
    }
    let (high, low) = wide_mul(a, b);
    if high >= c {
        return None;
    }
    Some(wide_div(high, low, c))
}

/// The 256 bits of a product: its upper and its lower half.
fn wide_mul(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let (low, mid_a, mid_b, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
    let carry = (low >> 64) + (mid_a & LOW) + (mid_b & LOW);
    (high + (mid_a >> 64) + (mid_b >> 64) + (carry >> 64), carry << 64 | low & LOW)
}

/// Divides 256 bits whose upper half is below `c`, bit by bit.
fn wide_div(high: u128, low: u128, c: u128) -> (u128, u128) {
    let (mut rest, mut quotient) = (high, 0_u128);
    for at in (0..128).rev() {
        let carried = rest >> 127 != 0;
        rest = rest << 1 | low >> at & 1;
        quotient <<= 1;
        if carried || rest >= c {
            rest = rest.wrapping_sub(c);
            quotient |= 1;
        }
    }
    (quotient, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges() {
        assert_eq!(mul_div(1, 1, 0), None);
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX), Some((u128::MAX, 0)));
        assert_eq!(mul_div(u128::MAX, 2, 1), None);
        assert_eq!(mul_div(u128::MAX, 10, 11).unwrap().0, u128::MAX / 11 * 10 + (u128::MAX % 11) * 10 / 11);
    }

    proptest! {
        #[test]
        fn quotient_and_remainder_give_the_product_back(a: u128, b: u128, c in 1..=u128::MAX) {
            if let Some((quotient, remainder)) = mul_div(a, b, c) {
                prop_assert!(remainder < c);
                let (high, low) = wide_mul(quotient, c);
                let (low, carry) = low.overflowing_add(remainder);
                prop_assert_eq!((high + u128::from(carry), low), wide_mul(a, b));
            } else {
                prop_assert!(wide_mul(a, b).0 >= c);
            }
        }
    }
}
