use super::*;

fn of(filter: &[(&str, &str)], search: &[&str], sort: &str, group: Option<&str>) -> Result<Shape, Refusal> {
    let filters: Vec<Filter> = filter.iter().map(|(key, value)| Filter::from_pair(key, value).unwrap()).collect();
    let search: Vec<String> = search.iter().map(|word| (*word).to_owned()).collect();
    Shape::of(&filters, &search, sort, group)
}

#[test]
fn the_same_question_in_other_words_has_one_index() {
    let name = |filter: &[(&str, &str)], search: &[&str], sort, group| of(filter, search, sort, group).unwrap().name;
    let one = name(&[("symbol", "A"), ("side__in", "BUY,SELL")], &["x", "y"], "-created_at", None);
    assert_eq!(one, name(&[("side__in", "SELL,BUY"), ("symbol", "A")], &["Y", "x", "X"], "-created_seq", None));
    assert_eq!(name(&[], &[], "", None), name(&[], &[], "-created_at", None));
    for other in [
        name(&[("symbol", "B"), ("side__in", "BUY,SELL")], &["x", "y"], "-created_at", None),
        name(&[("symbol", "A"), ("side__in", "BUY,SELL")], &["x", "-y"], "-created_at", None),
        name(&[("symbol", "A"), ("side__in", "BUY,SELL")], &["x", "y"], "created_at", None),
        name(&[("symbol", "A"), ("side__in", "BUY,SELL")], &["x", "y"], "-created_at", Some("side")),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (refused, word) in [
        (of(&[("nope", "1")], &[], "", None), "nope"),
        (of(&[("price", "cheap")], &[], "", None), "cheap"),
        (of(&[], &["nope:x"], "", None), "nope"),
        (of(&[], &["-"], "", None), "1 to 64"),
        (of(&[], &["w"; 9], "", None), "8 words"),
        (of(&[], &[], "in_doubt", None), "in_doubt"),
        (of(&[], &[], "", Some("created_at")), "created_seq"),
        (of(&[], &[], "", Some("nope")), "nope"),
    ] {
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.code, Code::ValidationError);
        assert!(refusal.message.contains(word), "{} does not say {word}", refusal.message);
    }
}
