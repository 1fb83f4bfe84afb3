use super::*;

const DAY: i64 = IDEMPOTENCY_WINDOW_NS;

#[test]
fn keys_are_kept_for_a_day_and_survive_the_turn_of_their_numbers() {
    let mut answers = Answers { first: u32::MAX - 2, ..Answers::default() };
    for n in 0..10_i64 {
        answers.record(Time(n), u128::from(n.unsigned_abs()) << 64 | 7, 70, Seq(n.unsigned_abs() + 1));
    }
    for n in 0..10_u64 {
        assert_eq!(answers.get(u128::from(n) << 64 | 7), Some((70, Seq(n + 1))));
        assert_eq!(answers.get(u128::from(n) << 64 | 8), None);
    }
    answers.record(Time(DAY + 5), 1, 71, Seq(11));
    for n in 0..10_u64 {
        let known = answers.get(u128::from(n) << 64 | 7);
        assert_eq!(known.is_some(), n >= 5, "key {n}");
    }
    assert_eq!(answers.get(1), Some((71, Seq(11))));
    let restored = Answers::from_parts(&answers.parts());
    assert_eq!(restored.parts(), answers.parts());
    assert_eq!(restored.get(1), Some((71, Seq(11))));
    assert_eq!(restored.by_key.len(), 6);
}
