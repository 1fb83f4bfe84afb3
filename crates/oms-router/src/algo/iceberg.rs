//! ICEBERG: one displayed part at a time; the next is shown once the last has ended.
//!
//! A part's size varies by up to `variance` of the displayed quantity, up and down, in whole lots, so that the refresh
//! does not give the order away.

use super::random::ppm;
use super::{Action, AlgoRequest, Decision, MAX_FAILED, part};
use oms_model::Qty;
use oms_model::algo::FULL_PPM;

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    if request.progress.open_qty.is_positive() {
        return Decision::wait(None, "a part is displayed");
    }
    if request.progress.failed >= MAX_FAILED {
        return Decision::act(Action::Cancel, "three parts in a row were not executed");
    }
    let target = request.placed().saturating_add(shown(request));
    request.toward(target, request.limit, None)
}

/// The size of the next part.
fn shown(request: &AlgoRequest<'_>) -> Qty {
    let (display, lot) = (request.params.slice_qty, request.instrument.lot);
    let most = part(display, u64::from(request.params.variance_ppm), u64::from(FULL_PPM));
    // From -variance to +variance.
    let sway = part(most, 2 * ppm(request.params.seed, u64::from(request.progress.slices)), u64::from(FULL_PPM)).saturating_sub(most);
    let qty = display.saturating_add(sway).round_down_to(lot);
    // Never nothing: a display below a lot shows a lot.
    qty.max(if lot.is_positive() { lot } else { display })
}

#[cfg(test)]
mod tests {
    use crate::algo::fixture::{case, minutes, run};
    use oms_model::algo::Algo;

    fn iceberg() -> crate::algo::fixture::Case {
        case(Algo::Iceberg).with(|p| p.slice_qty = "30".parse().unwrap())
    }

    #[test]
    fn a_part_at_a_time_until_nothing_is_hidden() {
        assert_eq!(run(&iceberg(), minutes(4)).quantities(), "30, 30, 30, 10");
        assert_eq!(run(&iceberg().never_filled(), minutes(3)).quantities(), "30");
    }

    #[test]
    fn the_refresh_varies_and_repeats_itself_for_a_seed() {
        let varied = |seed: u64| run(&iceberg().with(|p| (p.variance_ppm, p.seed) = (500_000, seed)), minutes(4)).quantities();
        assert_eq!(varied(1), varied(1));
        assert_ne!(varied(1), varied(2));
        assert_ne!(varied(1), "30, 30, 30, 10");
    }
}
