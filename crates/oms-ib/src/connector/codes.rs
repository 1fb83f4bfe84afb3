//! What the codes of notices mean to a desk.
//!
//! Codes 100 to 113 and 1100 to 1102 are from the broker's lists; the others were found in sources and issues of public
//! clients. A code that is not known is a warning and a question, never an end.

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// News about data: nothing about orders follows from it.
    Data,
    /// About an order that lives on: a warning.
    Warning,
    /// An order, or what was asked of it, was refused. Which, the one who asked knows.
    Refused,
    /// An order id that was used. The order that has it is untouched.
    DuplicateId,
    /// New terms were refused; the order is as it was.
    ModifyRefused,
    /// A cancel was refused; how the order stands is to be asked.
    CancelRefused,
    /// The balance of an order is canceled.
    Canceled,
    /// Too many messages.
    Pacing,
    /// The gateway has lost the broker.
    LineLost,
    /// The gateway has the broker again. Whether subscriptions are gone.
    LineBack {
        /// They are, and must be made again.
        data_lost: bool,
    },
    /// Another session has the client id.
    ClientIdInUse,
    /// The session is over.
    SessionOver,
    /// Not known here.
    Unknown,
}

/// What a code says.
#[must_use]
pub const fn meaning(code: i32) -> Meaning {
    match code {
        100 => Meaning::Pacing,
        103 => Meaning::DuplicateId,
        104 | 105 | 2102 => Meaning::ModifyRefused,
        161 | 10147 | 10148 | 10149 => Meaning::CancelRefused,
        202 => Meaning::Canceled,
        106..=160 | 200 | 201 | 203 | 321 | 382..=398 | 400..=403 | 405..=413 | 434..=449 | 10000..=10029 | 10052 | 10268 | 10318 => {
            Meaning::Refused
        }
        399 | 404 | 10349 | 2109 | 2137 | 2161 => Meaning::Warning,
        326 => Meaning::ClientIdInUse,
        1100 | 2110 => Meaning::LineLost,
        1101 => Meaning::LineBack { data_lost: true },
        1102 => Meaning::LineBack { data_lost: false },
        502..=504 | 507 | 1300 => Meaning::SessionOver,
        101
        | 162
        | 300
        | 309
        | 310
        | 316
        | 317
        | 354
        | 366
        | 420
        | 10089..=10091
        | 10167
        | 10168
        | 10186
        | 10197
        | 2100
        | 2101
        | 2103..=2108
        | 2119
        | 2150
        | 2157
        | 2158 => Meaning::Data,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_table_mean_what_the_table_says() {
        for (codes, expected) in [
            (&[100][..], Meaning::Pacing),
            (&[103], Meaning::DuplicateId),
            (&[104, 105, 2102], Meaning::ModifyRefused),
            (&[110, 111, 113, 200, 201, 203, 321, 387, 391, 434, 10318], Meaning::Refused),
            (&[161, 10147, 10148, 10149], Meaning::CancelRefused),
            (&[202], Meaning::Canceled),
            (&[326], Meaning::ClientIdInUse),
            (&[354, 10089, 10167, 10197, 2103, 2104, 2105, 2106, 2157, 2158], Meaning::Data),
            (&[399, 404, 10349], Meaning::Warning),
            (&[1100, 2110], Meaning::LineLost),
            (&[1101], Meaning::LineBack { data_lost: true }),
            (&[1102], Meaning::LineBack { data_lost: false }),
            (&[502, 504, 1300], Meaning::SessionOver),
            (&[-1, 0, 7, 666, 99_999], Meaning::Unknown),
        ] {
            for code in codes {
                assert_eq!(meaning(*code), expected, "{code}");
            }
        }
    }
}
