//! Tags and message types that the session layer speaks of, under FIX's own names.
#![allow(missing_docs, reason = "the names are those of the FIX dictionary")]

pub const BEGIN_SEQ_NO: i32 = 7;
pub const BEGIN_STRING: i32 = 8;
pub const BODY_LENGTH: i32 = 9;
pub const CHECK_SUM: i32 = 10;
pub const CL_ORD_ID: i32 = 11;
pub const END_SEQ_NO: i32 = 16;
pub const MSG_SEQ_NUM: i32 = 34;
pub const MSG_TYPE: i32 = 35;
pub const NEW_SEQ_NO: i32 = 36;
pub const POSS_DUP_FLAG: i32 = 43;
pub const REF_SEQ_NUM: i32 = 45;
pub const SENDER_COMP_ID: i32 = 49;
pub const SENDING_TIME: i32 = 52;
pub const TARGET_COMP_ID: i32 = 56;
pub const TEXT: i32 = 58;
pub const POSS_RESEND: i32 = 97;
pub const ENCRYPT_METHOD: i32 = 98;
pub const HEART_BT_INT: i32 = 108;
pub const TEST_REQ_ID: i32 = 112;
pub const ON_BEHALF_OF_COMP_ID: i32 = 115;
pub const ON_BEHALF_OF_SUB_ID: i32 = 116;
pub const ORIG_SENDING_TIME: i32 = 122;
pub const GAP_FILL_FLAG: i32 = 123;
pub const DELIVER_TO_COMP_ID: i32 = 128;
pub const DELIVER_TO_SUB_ID: i32 = 129;
pub const RESET_SEQ_NUM_FLAG: i32 = 141;
pub const ON_BEHALF_OF_LOCATION_ID: i32 = 144;
pub const DELIVER_TO_LOCATION_ID: i32 = 145;
pub const LAST_MSG_SEQ_NUM_PROCESSED: i32 = 369;
pub const REF_TAG_ID: i32 = 371;
pub const REF_MSG_TYPE: i32 = 372;
pub const SESSION_REJECT_REASON: i32 = 373;
pub const BUSINESS_REJECT_REF_ID: i32 = 379;
pub const BUSINESS_REJECT_REASON: i32 = 380;
pub const USERNAME: i32 = 553;
pub const PASSWORD: i32 = 554;
pub const NEXT_EXPECTED_MSG_SEQ_NUM: i32 = 789;

/// Lowest user-defined tag.
pub const USER_DEFINED: i32 = 5000;

pub const HEARTBEAT: &[u8] = b"0";
pub const TEST_REQUEST: &[u8] = b"1";
pub const RESEND_REQUEST: &[u8] = b"2";
pub const REJECT: &[u8] = b"3";
pub const SEQUENCE_RESET: &[u8] = b"4";
pub const LOGOUT: &[u8] = b"5";
pub const LOGON: &[u8] = b"A";
pub const BUSINESS_MESSAGE_REJECT: &[u8] = b"j";

/// Whether a message belongs to the session itself; such messages are never sent again.
#[must_use]
pub fn is_admin(msg_type: &[u8]) -> bool {
    matches!(msg_type, b"0" | b"1" | b"2" | b"3" | b"4" | b"5" | b"A")
}
