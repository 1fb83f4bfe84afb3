//! The text of a dictionary, line by line.

use std::collections::BTreeMap;

/// A line of a dictionary that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct DictionaryError {
    /// The line, from 1; 0 if the whole does not fit together.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl DictionaryError {
    pub(super) fn whole(what: String) -> Self {
        Self { line: 0, what }
    }
}

/// Something that stands in a message, group or component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Member {
    pub(super) what: What,
    pub(super) required: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum What {
    Field(i32),
    Named(String),
}

#[derive(Clone, Debug)]
pub(super) struct FieldLine {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) values: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct MessageLine {
    pub(super) name: String,
    pub(super) admin: bool,
    pub(super) members: Vec<Member>,
}

/// The lines, by what they define. A later definition replaces an earlier one.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) version: String,
    pub(super) fields: BTreeMap<i32, FieldLine>,
    pub(super) groups: BTreeMap<String, (i32, Vec<Member>)>,
    pub(super) components: BTreeMap<String, Vec<Member>>,
    pub(super) messages: BTreeMap<String, MessageLine>,
}

impl Source {
    pub(super) fn read(&mut self, text: &str) -> Result<(), DictionaryError> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.line(line).map_err(|what| DictionaryError { line: number + 1, what })?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split_whitespace();
        let statement = words.next().unwrap_or_default();
        let mut word = |what: &str| words.next().map(str::to_owned).ok_or_else(|| format!("{what} is missing"));
        match statement {
            "version" => self.version = word("the version")?,
            "field" => {
                let (tag, name, kind) = (tag(&word("the tag")?)?, word("the name")?, word("the type")?);
                let values = words.next().map(|values| values.split('|').map(str::to_owned).collect()).unwrap_or_default();
                self.fields.insert(tag, FieldLine { name, kind, values });
            }
            "group" => {
                let (name, count) = (word("the name")?, tag(&word("the count")?)?);
                self.groups.insert(name, (count, members(words)?));
            }
            "component" => {
                let name = word("the name")?;
                self.components.insert(name, members(words)?);
            }
            "message" => {
                let (msg_type, name, category) = (word("the type")?, word("the name")?, word("admin or app")?);
                let admin = match category.as_str() {
                    "admin" => true,
                    "app" => false,
                    other => return Err(format!("admin or app, not {other}")),
                };
                self.messages.insert(msg_type, MessageLine { name, admin, members: members(words)? });
            }
            "add" => {
                let to = word("the type")?;
                let more = members(words)?;
                self.members_of(&to)?.extend(more);
            }
            other => return Err(format!("{other} is no statement")),
        }
        Ok(())
    }

    fn members_of(&mut self, what: &str) -> Result<&mut Vec<Member>, String> {
        let found = match what {
            "header" => self.components.get_mut("StandardHeader"),
            "trailer" => self.components.get_mut("StandardTrailer"),
            msg_type => self.messages.get_mut(msg_type).map(|message| &mut message.members),
        };
        found.ok_or_else(|| format!("there is no message {what}"))
    }
}

fn tag(text: &str) -> Result<i32, String> {
    text.parse().ok().filter(|tag| (1..=99_999).contains(tag)).ok_or_else(|| format!("{text} is no tag"))
}

fn members<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Member>, String> {
    words
        .map(|word| {
            let (name, required) = word.strip_suffix('!').map_or((word, false), |name| (name, true));
            let what = match name.strip_prefix('@') {
                Some(name) => What::Named(name.to_owned()),
                None => What::Field(tag(name)?),
            };
            Ok(Member { what, required })
        })
        .collect()
}
