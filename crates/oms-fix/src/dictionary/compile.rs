//! A dictionary's text made fit for looking up.

use super::bits::{Bits, MAX_FIELDS};
use super::source::{DictionaryError, Member, Source, What};
use super::{Dictionary, Field, Group, Kind, Members, Message, Place};

/// Deepest nesting of groups and components; what is deeper refers to itself.
const MAX_DEPTH: usize = 12;

pub(super) fn compile(source: Source) -> Result<Dictionary, DictionaryError> {
    if MAX_FIELDS < source.fields.len() {
        return Err(DictionaryError::whole(format!("{} fields, at most {MAX_FIELDS}", source.fields.len())));
    }
    let fields = fields(&source)?;
    let highest = fields.last().map_or(0, |field| field.tag);
    let mut index = vec![0; usize::try_from(highest).unwrap_or_default() + 1];
    for (place, field) in fields.iter().enumerate() {
        if let Some(slot) = usize::try_from(field.tag).ok().and_then(|tag| index.get_mut(tag)) {
            *slot = u16::try_from(place + 1).unwrap_or_default();
        }
    }
    let empty = || Members { allowed: Bits::default(), required: Bits::default(), groups: Vec::new() };
    let mut dictionary = Dictionary {
        begin_string: source.version.clone(),
        index,
        fields,
        messages: Vec::new(),
        header: empty(),
        trailer: empty(),
        source: Source::default(),
    };
    let compiler = Compiler { source: &source, dictionary: &dictionary };
    let (header, trailer) = (compiler.component("StandardHeader")?, compiler.component("StandardTrailer")?);
    let mut messages = Vec::new();
    for (msg_type, line) in &source.messages {
        let body = compiler.members(&line.members)?;
        messages.push(Message { msg_type: msg_type.as_bytes().into(), name: line.name.clone(), admin: line.admin, body });
    }
    for (place, field) in dictionary.fields.iter_mut().enumerate() {
        field.place = match (header.holds(place), trailer.holds(place)) {
            (true, _) => Place::Header,
            (_, true) => Place::Trailer,
            _ => Place::Body,
        };
    }
    dictionary.header = header;
    dictionary.trailer = trailer;
    dictionary.messages = messages;
    dictionary.source = source;
    Ok(dictionary)
}

impl Members {
    /// Whether a field stands here or in a group of here.
    fn holds(&self, place: usize) -> bool {
        self.allowed.contains(place) || self.groups.iter().any(|group| group.members.holds(place))
    }
}

fn fields(source: &Source) -> Result<Vec<Field>, DictionaryError> {
    let mut fields = Vec::new();
    for (tag, line) in &source.fields {
        let kind = kind(&line.kind).ok_or_else(|| DictionaryError::whole(format!("field {tag}: {} is no type", line.kind)))?;
        let mut values: Vec<Box<[u8]>> = line.values.iter().map(|value| value.as_bytes().into()).collect();
        values.sort();
        // A length field is named after its data field.
        let named = line.name.strip_suffix("Len").or_else(|| line.name.strip_suffix("Length"));
        let data =
            named.and_then(|name| source.fields.iter().find(|(_, other)| other.name == name && other.kind == "data")).map(|(tag, _)| *tag);
        fields.push(Field { tag: *tag, name: line.name.clone(), kind, values, place: Place::Body, data });
    }
    Ok(fields)
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "String" | "Currency" | "Exchange" | "Country" => Kind::Text,
        "char" => Kind::Char,
        "Boolean" => Kind::Boolean,
        "int" | "Length" | "SeqNum" | "NumInGroup" => Kind::Int,
        "float" | "Price" | "Qty" | "Amt" | "Percentage" | "PriceOffset" => Kind::Float,
        "MultipleValueString" => Kind::MultipleValue,
        "UTCTimestamp" => Kind::UtcTimestamp,
        "UTCTimeOnly" => Kind::UtcTimeOnly,
        "UTCDateOnly" | "LocalMktDate" => Kind::Date,
        "MonthYear" => Kind::MonthYear,
        "data" => Kind::Data,
        _ => return None,
    })
}

struct Compiler<'a> {
    source: &'a Source,
    dictionary: &'a Dictionary,
}

/// The members of something while they are gathered.
struct Gathered {
    members: Members,
    order: Vec<i32>,
}

impl Compiler<'_> {
    fn component(&self, name: &str) -> Result<Members, DictionaryError> {
        let members = self.source.components.get(name).ok_or_else(|| DictionaryError::whole(format!("there is no component {name}")))?;
        self.members(members)
    }

    fn members(&self, members: &[Member]) -> Result<Members, DictionaryError> {
        self.gather(members, 0).map(|gathered| gathered.members)
    }

    fn gather(&self, members: &[Member], depth: usize) -> Result<Gathered, DictionaryError> {
        let members_empty = Members { allowed: Bits::default(), required: Bits::default(), groups: Vec::new() };
        let mut gathered = Gathered { members: members_empty, order: Vec::new() };
        self.add(&mut gathered, members, true, depth)?;
        Ok(gathered)
    }

    /// Adds members; those of a component that is not required are not required either.
    fn add(&self, to: &mut Gathered, members: &[Member], required: bool, depth: usize) -> Result<(), DictionaryError> {
        if MAX_DEPTH < depth {
            return Err(DictionaryError::whole("groups or components refer to themselves".to_owned()));
        }
        for member in members {
            let required = required && member.required;
            match &member.what {
                What::Field(tag) => self.add_field(to, *tag, required)?,
                What::Named(name) => {
                    if let Some((count, members)) = self.source.groups.get(name) {
                        self.add_field(to, *count, required)?;
                        to.members.groups.push(self.group(*count, members, depth)?);
                    } else if let Some(members) = self.source.components.get(name) {
                        self.add(to, members, required, depth + 1)?;
                    } else {
                        return Err(DictionaryError::whole(format!("there is no group or component {name}")));
                    }
                }
            }
        }
        Ok(())
    }

    fn add_field(&self, to: &mut Gathered, tag: i32, required: bool) -> Result<(), DictionaryError> {
        let place = self.dictionary.place_of(tag).ok_or_else(|| DictionaryError::whole(format!("there is no field {tag}")))?;
        to.members.allowed.insert(place);
        if required {
            to.members.required.insert(place);
        }
        to.order.push(tag);
        Ok(())
    }

    fn group(&self, count: i32, members: &[Member], depth: usize) -> Result<Group, DictionaryError> {
        let entry = self.gather(members, depth + 1)?;
        let delimiter = *entry.order.first().ok_or_else(|| DictionaryError::whole(format!("the group of {count} is empty")))?;
        Ok(Group { count, delimiter, members: entry.members, order: entry.order })
    }
}
