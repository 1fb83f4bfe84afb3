use super::{LegPart, Part, RootPart};
use crate::state::Entry;
use oms_model::{Order, Time};
use oms_risk::Reservation;

/// The next class of the allocator is 448 bytes, and there are two of these to an open order.
#[test]
fn an_order_and_its_part_fit_into_their_class() {
    let sizes = (size_of::<Entry>(), size_of::<Order>(), size_of::<Part>(), size_of::<RootPart>(), size_of::<LegPart>());
    assert!(sizes.0 <= 384, "entry, order, part, root, leg: {sizes:?}");
}

#[test]
fn an_order_rests_or_leaves() {
    let resting = Reservation { resting: Some(-5), ..Reservation::default() };
    let mut root = RootPart::new(resting, None);
    assert_eq!((root.reserved(), root.close_at()), (resting, None));
    root.keep(Reservation::default());
    root.set_close_at(Some(Time(7)));
    assert_eq!((root.reserved(), root.close_at()), (Reservation::default(), Some(Time(7))));
    root.keep(Reservation::default());
    assert_eq!(root.close_at(), Some(Time(7)));
    root.set_close_at(None);
    root.keep(resting);
    assert_eq!((root.reserved(), root.close_at()), (resting, None));
}

#[test]
#[should_panic(expected = "rests that leaves")]
fn what_is_about_to_leave_does_not_rest() {
    RootPart::new(Reservation::default(), Some(Time(7))).keep(Reservation { resting: Some(1), ..Reservation::default() });
}

#[test]
#[should_panic(expected = "rests is to leave")]
fn what_rests_is_not_about_to_leave() {
    RootPart::new(Reservation { resting: Some(1), ..Reservation::default() }, None).set_close_at(Some(Time(7)));
}
