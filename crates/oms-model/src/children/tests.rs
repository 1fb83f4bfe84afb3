use super::*;

#[test]
fn children_are_a_list_whatever_their_number() {
    assert_eq!(size_of::<Children>(), size_of::<Vec<OrderId>>());
    let (mut children, mut list) = (Children::new(), Vec::new());
    for n in 0..4 {
        assert_eq!(*children, list);
        assert!((&children).into_iter().eq(&list));
        list.push(OrderId::from_u128(n));
        children.push(OrderId::from_u128(n));
    }
    assert_eq!(*children, list);
}
