use super::*;
use crate::codec::scan::{View, scan};

const ORDER: &str = "34=2|49=TW44|52=20261127-10:00:00|56=ISLD|11=ID|21=1|40=1|54=1|38=200.00|55=INTC|60=20261127-10:00:00|";

/// What is wrong with a message of this type: reason, tag and text.
fn wrong_by(dictionary: &Dictionary, checks: Checks, msg_type: &str, fields: &str) -> Option<(RejectReason, Option<i32>, Option<String>)> {
    let bytes = format!("8=FIX.4.4|9=5|35={msg_type}|{fields}10=000|").replace('|', "\u{1}").into_bytes();
    let mut spans = Vec::new();
    scan(&bytes, dictionary, 1000, &mut spans).unwrap();
    validate(dictionary, checks, &View::new(&bytes, &spans)).err().map(|invalid| (invalid.reason, invalid.tag, invalid.text))
}

fn wrong(msg_type: &str, fields: &str) -> Option<(u64, Option<i32>)> {
    wrong_by(fix44(), Checks::default(), msg_type, fields).map(|(reason, tag, _)| (reason.code(), tag))
}

#[test]
fn the_dictionary_of_fix_44_is_whole() {
    let dictionary = fix44();
    assert_eq!(dictionary.begin_string(), "FIX.4.4");
    assert_eq!(dictionary.messages().count(), 93);
    assert_eq!(dictionary.fields.len(), 912);
    let admin: Vec<&[u8]> = dictionary.messages().filter(|message| message.admin).map(|message| message.msg_type.as_ref()).collect();
    assert!(admin.iter().all(|msg_type| crate::tags::is_admin(msg_type)) && admin.len() == 7);
    // Every data field has its length field.
    let data: Vec<i32> = dictionary.fields.iter().filter(|field| field.kind == Kind::Data).map(|field| field.tag).collect();
    let declared: Vec<i32> = dictionary.fields.iter().filter_map(|field| field.data).collect();
    assert!(data.iter().all(|tag| declared.contains(tag)), "{data:?} {declared:?}");
    assert_eq!(dictionary.data_of(95), Some(96));
    assert_eq!(dictionary.data_of(9), None);
}

#[test]
fn good_messages_pass() {
    assert_eq!(wrong("D", ORDER), None);
    assert_eq!(wrong("0", "34=2|49=TW44|52=20261127-10:00:00.123|56=ISLD|"), None);
    assert_eq!(wrong("D", &format!("{ORDER}386=2|336=A|625=x|336=B|453=1|448=p|447=D|452=1|802=1|523=s|803=1|167=CS|")), None);
    assert_eq!(wrong("d", "34=2|49=TW44|52=20261127-10:00:00|56=ISLD|320=a|322=b|323=6|55=TBS|454=0|"), None);
    assert_eq!(wrong("D", &format!("{ORDER}18=1 2 G|")), None, "several values");
}

#[test]
fn what_is_wrong_is_named() {
    let admin = |more: &str| wrong("0", &format!("34=2|49=TW44|52=20261127-10:00:00|56=ISLD|{more}"));
    let order = |more: &str| wrong("D", &format!("{ORDER}{more}"));
    assert_eq!(admin("999=HI|"), Some((0, Some(999))));
    assert_eq!(admin("0=HI|"), Some((0, Some(0))));
    assert_eq!(admin("-1=HI|"), Some((0, Some(-1))));
    assert_eq!(admin("5000=HI|"), Some((0, Some(5000))));
    assert_eq!(admin("55=MSFT|"), Some((2, Some(55))));
    assert_eq!(admin("112=|"), Some((4, Some(112))));
    assert_eq!(wrong("0", "34=2|49=TW44|52=20261127-10:00:00|"), Some((1, Some(56))));
    assert_eq!(wrong("D", &ORDER.replace("11=ID|", "")), Some((1, Some(11))));
    assert_eq!(wrong("D", &ORDER.replace("21=1", "21=4")), Some((5, Some(21))));
    assert_eq!(order("167=BOO|"), Some((5, Some(167))));
    assert_eq!(order("18=1 ?|"), Some((5, Some(18))));
    assert_eq!(wrong("D", &ORDER.replace("38=200", "38=+200")), Some((6, Some(38))));
    assert_eq!(wrong("D", &ORDER.replace("54=1", "54=xx")), Some((6, Some(54))));
    assert_eq!(order("126=20040415|"), Some((6, Some(126))));
    assert_eq!(order("40=2|"), Some((13, Some(40))));
    assert_eq!(wrong("*", "34=2|49=TW44|52=20261127-10:00:00|56=ISLD|"), Some((11, None)));
    assert_eq!(wrong("D", "11=ID|34=2|49=TW44|52=20261127-10:00:00|56=ISLD|"), Some((14, Some(34))));
    assert_eq!(wrong("D", &format!("93=1|{ORDER}")), Some((14, Some(34))));
}

#[test]
fn groups_are_counted_and_ordered() {
    let order = |more: &str| {
        wrong_by(fix44(), Checks::default(), "D", &format!("{ORDER}{more}")).map(|(reason, tag, text)| (reason.code(), tag, text))
    };
    assert_eq!(order("386=3|336=PRE-OPEN|336=AFTER-HOURS|"), Some((16, Some(386), None)));
    assert_eq!(order("386=1|"), Some((16, Some(386), None)));
    assert_eq!(order("386=0|336=x|"), Some((16, Some(386), None)));
    assert_eq!(order("78=2|79=acct1|80=50|661=1|79=acct2|80=150|661=1|"), Some((15, Some(661), None)));
    assert_eq!(order("453=1|448=p|447=failboat|"), Some((6, Some(447), None)));
    assert_eq!(order("453=1|448=p|447=D|802=1|523=s|803=failboat|"), Some((6, Some(803), None)));
    assert_eq!(order("453=1|448=p|802=2|523=s|803=1|"), Some((16, Some(802), None)));
    assert_eq!(order("453=1|448=p|447=D|447=D|"), Some((13, Some(447), None)));
    let mail = "34=2|49=TW44|52=20261127-10:00:00|56=ISLD|164=id|94=0|147=s|146=1|864=1|865=1|33=1|58=test|";
    let found = wrong_by(fix44(), Checks::default(), "C", mail).unwrap();
    assert_eq!((found.0.code(), found.1, found.2.as_deref()), (15, Some(864), Some("The group 146 must set the delimiter field 55")));
    // An entry lacks a required field (NoLinesOfText requires Text).
    assert_eq!(wrong("C", &mail.replace("146=1|864=1|865=1|33=1|58=test|", "33=1|354=1|355=x|")), Some((1, Some(58))));
}

#[test]
fn of_several_wrong_things_the_first_by_custom_is_told() {
    // Required fields before values, header before body, ascending tags in the body.
    assert_eq!(wrong("D", &ORDER.replace("11=ID|", "").replace("40=1", "40=w")), Some((1, Some(11))));
    assert_eq!(wrong("D", &format!("128=|{}", ORDER.replace("40=1", "40=w"))), Some((4, Some(128))));
    assert_eq!(wrong("D", &ORDER.replace("54=1", "54=w").replace("21=1", "21=w")), Some((5, Some(21))));
}

#[test]
fn checks_can_be_relaxed() {
    let relaxed = Checks { order: false, values: false, user_defined: false, group_order: false };
    let wrong = |fields: &str| wrong_by(fix44(), relaxed, "D", fields);
    assert_eq!(wrong(&format!("55=X|{}", ORDER.replace("55=INTC|", ""))), None);
    assert_eq!(wrong(&format!("{ORDER}5001=x|5001=y|1=|")), None);
    assert_eq!(wrong(&format!("{ORDER}78=1|79=a|80=50|661=1|")), None);
}

#[test]
fn an_overlay_adds_a_counterpartys_own() {
    let overlay = "field 9001 Desk String A|B\nfield 9002 NoDesks NumInGroup\ngroup Desks 9002 9001\nadd D @Desks\nadd header 9003!\nfield 9003 Route int\n";
    let dialect = fix44().with_overlay(overlay).unwrap();
    let wrong = |fields: &str| wrong_by(&dialect, Checks::default(), "D", fields).map(|(reason, tag, _)| (reason.code(), tag));
    assert_eq!(wrong(&format!("9003=1|{ORDER}9002=2|9001=A|9001=B|")), None);
    assert_eq!(wrong(&format!("9003=1|{ORDER}9002=1|9001=C|")), Some((5, Some(9001))));
    assert_eq!(wrong(ORDER), Some((1, Some(9003))));
}

#[test]
fn a_wrong_dictionary_is_refused_with_its_line() {
    let error = |text: &str| Dictionary::parse(text).unwrap_err().to_string();
    assert_eq!(error("version X\nfield x Name String"), "line 2: x is no tag");
    assert_eq!(error("message D"), "line 1: the name is missing");
    assert_eq!(error("add D 1"), "line 1: there is no message D");
    let frame = "field 8 BeginString String\ncomponent StandardHeader 8\ncomponent StandardTrailer 8\n";
    assert_eq!(
        error(&format!("{frame}component Loop @Loop\nmessage D Name app @Loop")),
        "line 0: groups or components refer to themselves"
    );
    assert_eq!(error(&format!("{frame}message D Name app 77")), "line 0: there is no field 77");
    assert_eq!(error(&format!("{frame}field 9 X nonsense")), "line 0: field 9: nonsense is no type");
}

#[test]
fn groups_are_read_entry_by_entry() {
    let text = format!("8=FIX.4.4|9=5|35=D|{ORDER}453=2|448=p|447=D|802=2|523=s|803=1|523=t|803=2|448=q|447=C|18=1|10=000|");
    let (bytes, mut spans) = (text.replace('|', "\u{1}").into_bytes(), Vec::new());
    scan(&bytes, fix44(), 100, &mut spans).unwrap();
    let view = View::new(&bytes, &spans);
    let shown = |fields: std::ops::Range<usize>| -> Vec<i32> { spans[fields].iter().map(|span| span.tag).collect() };
    let parts = fix44().body(&view);
    let tags: Vec<i32> = parts.iter().map(|part| spans[part.fields.start].tag).collect();
    assert_eq!(tags, [11, 21, 40, 54, 38, 55, 60, 453, 18]);
    let parties = &parts[7];
    let entries = parties.group.unwrap().entries(&view, parties.fields.start);
    assert_eq!(entries.iter().cloned().map(shown).collect::<Vec<_>>(), [vec![448, 447, 802, 523, 803, 523, 803], vec![448, 447]]);
    assert_eq!(parties.fields.end, entries[1].end);
    assert!(parts.iter().all(|part| part.fields.len() == 1 || part.group.is_some()));
}
