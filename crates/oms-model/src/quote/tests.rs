use super::*;

#[test]
fn a_request_is_quoted_before_it_is_accepted() {
    use QuoteReqState::{Accepted, Canceled, Expired, New, Quoted};
    assert_eq!(QuoteRequestMachine::validate_sequence(&[Quoted, Accepted]), Ok(()));
    let illegal = QuoteRequestMachine::validate_sequence(&[Accepted]).unwrap_err();
    assert_eq!((illegal.at, illegal.from, illegal.to), (0, New, Accepted));
    for end in [Accepted, Expired, Canceled] {
        assert!(QuoteRequestMachine::is_terminal(end));
        assert!(QuoteReqState::ALL.iter().all(|&to| !QuoteRequestMachine::allows(end, to)), "nothing leaves {end}");
    }
}

#[test]
fn a_quote_ends_once() {
    for &end in QuoteState::ALL.iter().filter(|&&state| state != QuoteState::Live) {
        assert!(QuoteMachine::allows(QuoteState::Live, end));
        assert!(QuoteState::ALL.iter().all(|&to| !QuoteMachine::allows(end, to)), "nothing leaves {end}");
    }
}

#[test]
fn a_quote_is_dead_at_the_end_of_its_life() {
    let quote = Quote { valid_until: Time(10), ..Quote::default() };
    assert!(quote.is_live(Time(9)));
    assert!(!quote.is_live(Time(10)));
}
