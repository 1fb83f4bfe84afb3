//! Comma-separated values as RFC 4180 has them: read strictly, written so that they are read again as they were.

/// One record, and the line that it begins on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it begins.
    pub line: usize,
    /// Its fields.
    pub fields: Vec<String>,
}

/// Something that is no such file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where.
    pub line: usize,
    /// What is wrong, in words.
    pub text: &'static str,
}

/// Reads every record; empty lines are passed over.
///
/// # Errors
/// Where a quote stands where none can, or one is never closed.
pub fn read(text: &str) -> Result<Vec<Record>, Malformed> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut rest = text.chars().peekable();
    let (mut records, mut line) = (Vec::new(), 1);
    // Each turn reads one record, and at least its line end.
    while rest.peek().is_some() {
        let begins = line;
        let mut fields = Vec::new();
        loop {
            let quoted = rest.peek() == Some(&'"');
            let mut field = String::new();
            if quoted {
                rest.next();
                loop {
                    match rest.next() {
                        Some('"') if rest.peek() == Some(&'"') => {
                            rest.next();
                            field.push('"');
                        }
                        Some('"') => break,
                        Some(other) => {
                            line += usize::from(other == '\n');
                            field.push(other);
                        }
                        None => return Err(Malformed { line: begins, text: "a quote is not closed" }),
                    }
                }
            }
            // What follows up to the next comma or the end of the line.
            let end = loop {
                match rest.next() {
                    None => break '\n',
                    Some(end @ (',' | '\n')) => break end,
                    Some('\r') if matches!(rest.peek(), None | Some('\n')) => (),
                    Some(_) if quoted => return Err(Malformed { line, text: "something follows a closing quote" }),
                    Some('"') => return Err(Malformed { line, text: "a quote stands within a field" }),
                    Some(other) => field.push(other),
                }
            };
            fields.push((field, quoted));
            if end == '\n' {
                break;
            }
        }
        line += 1;
        let is_blank = matches!(&fields[..], [(field, false)] if field.is_empty());
        if !is_blank {
            records.push(Record { line: begins, fields: fields.into_iter().map(|(field, _)| field).collect() });
        }
    }
    Ok(records)
}

/// Appends a record.
pub fn write<'f>(out: &mut String, fields: impl IntoIterator<Item = &'f str>) {
    let mut begun = false;
    let from = out.len();
    for field in fields {
        if begun {
            out.push(',');
        }
        begun = true;
        if field.contains(['"', ',', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    if out.len() == from {
        // A single empty field, which would otherwise be an empty line.
        out.push_str("\"\"");
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn fields(text: &str) -> Vec<(usize, Vec<String>)> {
        read(text).unwrap().into_iter().map(|record| (record.line, record.fields)).collect()
    }

    #[test]
    fn records_know_their_lines() {
        let found = fields("\u{FEFF}a,b\r\n\n\"1\n\"\"2\"\"\",x\n,\nlast");
        let wanted = [(1, vec!["a", "b"]), (3, vec!["1\n\"2\"", "x"]), (5, vec!["", ""]), (6, vec!["last"])];
        let wanted: Vec<_> = wanted.into_iter().map(|(line, fields)| (line, fields.into_iter().map(str::to_owned).collect())).collect();
        assert_eq!(found, wanted);
        assert!(read("").unwrap().is_empty() && read("\r\n\n").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_line() {
        for (text, line, words) in
            [("a\n\"b", 2, "not closed"), ("a\nb\"c\n", 2, "within a field"), ("\"a\nb\" c,d", 2, "follows a closing quote")]
        {
            let error = read(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}");
            assert!(error.text.contains(words), "{text:?}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(records in vec(vec("[a\",\r\n é]{0,5}", 1..4), 0..5)) {
            let mut text = String::new();
            for record in &records {
                write(&mut text, record.iter().map(String::as_str));
            }
            let again: Vec<Vec<String>> = read(&text).unwrap().into_iter().map(|record| record.fields).collect();
            prop_assert_eq!(again, records);
        }

        #[test]
        fn nothing_panics(text in "[a\",\r\n]{0,20}") {
            let _read = read(&text);
        }
    }
}
