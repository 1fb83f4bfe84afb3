use super::*;

#[test]
fn unset_is_as_wide_as_a_pointer_and_equal_to_a_box_of_the_default() {
    assert_eq!(size_of::<Seldom<Vec<u8>>>(), size_of::<usize>());
    let (unset, mut idle) = (Seldom::<Vec<u8>>::default(), Seldom::<Vec<u8>>::default());
    idle.clear();
    assert!(idle.0.is_some(), "writing makes the box");
    assert_eq!(unset, idle);
    idle.tidy();
    assert!(idle.0.is_none());
    idle.push(1);
    assert_ne!(unset, idle);
    idle.tidy();
    assert_eq!(*idle, [1]);
    assert_eq!(idle.clone().into_set(), Some(vec![1]));
    assert_eq!(unset.into_set(), None);
}

#[test]
fn taking_away_from_what_is_unset_makes_nothing() {
    let mut seldom = Seldom::<Vec<u8>>::default();
    seldom.clear_with(|_| panic!("there is nothing to take away"));
    seldom.push(1);
    seldom.clear_with(Vec::clear);
    assert!(seldom.0.is_none());
    assert!(Seldom::from(Vec::<u8>::new()).0.is_none());
    assert_eq!(*Seldom::from(vec![7_u8]), [7]);
}
