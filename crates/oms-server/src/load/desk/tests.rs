use super::*;

#[test]
fn every_number_below_the_weights_means_a_play_and_each_is_meant() {
    let met: std::collections::BTreeSet<usize> = (0..plays::weights()).map(|number| plays::pick(number).unwrap().run as usize).collect();
    assert_eq!(met.len(), plays::count());
    assert!(plays::pick(plays::weights()).is_none());
}

#[test]
fn books_add_up() {
    let book = |accepted, code: &str| {
        let mut book = Book::default();
        let kind = book.kinds.entry("market").or_default();
        kind.accepted = accepted;
        kind.refused.insert(code.to_owned(), 1);
        book.requests.insert("cancel APPLIED".to_owned(), 2);
        book
    };
    let mut sum = book(3, "INVALID_TICK");
    sum.add(book(4, "INVALID_LOT"));
    assert_eq!(sum.orders(), 9);
    let report = json_report(&sum, 1.0);
    assert_eq!(report["kinds"]["market"], json!({"accepted": 7, "refused": {"INVALID_LOT": 1, "INVALID_TICK": 1}}));
    assert_eq!(report["requests"]["cancel APPLIED"], 4);
    let text = text_report(&sum, 1.0);
    assert!(text.contains("market                           7         2  1 INVALID_LOT, 1 INVALID_TICK"), "{text}");
}
