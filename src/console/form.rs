//! A change as data: which route of the admin API makes it, and the fields of its body.

use actix_web::http::Method;
use askama::Template;
use serde_json::Value;

use crate::accounts::Duty;
use crate::console::cells::{Column, filled, plain};
use crate::console::desk::Desk;
use crate::console::markup::Markup;
use crate::error::Result;
use crate::words::Words;

/// How a field is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A line of text.
    Text,
    /// A whole number.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any of these words: a list.
    Choices(&'static [&'static str]),
    /// A text a line: a list.
    Lines,
    /// JSON as it is written.
    Json,
    /// A moment in UTC.
    Moment,
    /// Yes or no.
    Flag,
}

/// A member of the body, or a parameter of the query where the form has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// The member's name.
    pub name: &'static str,
    /// What it is called, in English.
    pub label: &'static str,
    /// How it is given.
    pub kind: Kind,
    /// Whether it must be given.
    pub is_required: bool,
    /// A sentence that helps, in English.
    pub help: &'static str,
    /// JSON pointer of its value now, in the thing that is changed.
    pub now: &'static str,
}

impl Field {
    /// A field that must be given.
    pub(super) const fn must(name: &'static str, label: &'static str, kind: Kind) -> Field {
        Field { name, label, kind, is_required: true, help: "", now: "" }
    }

    /// A field that may be left out.
    pub(super) const fn may(name: &'static str, label: &'static str, kind: Kind) -> Field {
        Field { name, label, kind, is_required: false, help: "", now: "" }
    }

    /// The same with a sentence that helps.
    pub(super) const fn help(self, help: &'static str) -> Field {
        Field { help, ..self }
    }

    /// The same, filled with what stands at `now` in the thing that is changed.
    pub(super) const fn now(self, now: &'static str) -> Field {
        Field { now, ..self }
    }
}

/// Where the reason of a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The route takes none.
    None,
    /// A member of the body.
    Body,
    /// A parameter of the query.
    Query,
    /// A member of the body that must be given.
    Must,
}

/// A change. Start from [`Form::NEW`].
#[derive(Debug)]
pub(super) struct Form {
    /// Its name in addresses: unique, lower case, dashes.
    pub name: &'static str,
    /// Its heading and button, in English.
    pub title: &'static str,
    /// What it does, a sentence in English; may be empty.
    pub about: &'static str,
    /// The method.
    pub method: Verb,
    /// The route; `{name}` is filled from the place, `{/pointer}` from the row.
    pub api: &'static str,
    /// The fields.
    pub fields: &'static [Field],
    /// Where the reason goes.
    pub reason: Reason,
    /// JSON pointer (or `=word`) of what must be typed to confirm; empty where nothing.
    pub confirm: &'static str,
    /// What is said when it is done, in English.
    pub done: &'static str,
    /// What is shown of the answer, once: for keys and other secrets. Empty: the page is shown again.
    pub shows: &'static [Column],
    /// Where to go when it is done; `{/pointer}` is filled from the answer. Empty: the page it came from.
    pub then: &'static str,
    /// The rows that have it: a JSON pointer and the words it may be; empty where all.
    pub only: (&'static str, &'static [&'static str]),
    /// Whether it takes something away.
    pub is_danger: bool,
    /// The role it takes.
    pub duty: Duty,
    /// Whether the body is one field's JSON as a whole (its name is then not sent).
    pub is_bare: bool,
    /// Whether the password must have been given a moment ago: what it makes outlasts the session.
    pub takes_proof: bool,
}

/// The methods of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE: fields and reason go into the query.
    Delete,
}

impl Verb {
    /// The method.
    pub(super) fn method(self) -> Method {
        match self {
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
        }
    }
}

impl Form {
    /// A change with a body, by operators and owners, to be filled in.
    pub(super) const NEW: Form = Form {
        name: "",
        title: "",
        about: "",
        method: Verb::Post,
        api: "",
        fields: &[],
        reason: Reason::Body,
        confirm: "",
        done: "Done.",
        shows: &[],
        then: "",
        only: ("", &[]),
        is_danger: false,
        duty: Duty::Manage,
        is_bare: false,
        takes_proof: false,
    };

    /// Its texts, for the translations.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        let fields = self.fields.iter().flat_map(|field| [field.label, field.help]);
        let shows = self.shows.iter().map(|column| column.label);
        [self.title, self.about, self.done].into_iter().chain(fields).chain(shows).filter(|text| !text.is_empty())
    }

    /// Whether `field` is a part of the route's path.
    pub(super) fn places(&self, field: &Field) -> bool {
        self.api.contains(&format!("{{{}}}", field.name))
    }

    fn is_for(&self, row: &Value) -> bool {
        let (at, words) = self.only;
        words.is_empty() || row.pointer(at).is_some_and(|value| words.contains(&plain(value).as_str()))
    }
}

pub(super) struct FieldView<'a> {
    pub id: String,
    pub name: String,
    pub label: &'a str,
    pub help: &'a str,
    pub value: String,
    pub kind: Kind,
    pub is_required: bool,
    pub options: Vec<(&'static str, bool)>,
    pub fault: String,
}

#[derive(Template)]
#[template(path = "console/form.html")]
struct View<'a> {
    words: Words,
    form: &'a Form,
    title: &'a str,
    about: &'a str,
    id: String,
    csrf: &'a str,
    once: String,
    back: &'a str,
    path: Vec<(String, String)>,
    fields: Vec<FieldView<'a>>,
    why: String,
    why_fault: String,
    typed: String,
    fault: Option<String>,
    is_row: bool,
    is_open: bool,
}

/// What a form was sent with, to be shown again beside what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The fields' values, by their names in the form.
    pub values: Vec<(String, String)>,
    /// What is wrong with the whole.
    pub fault: Option<String>,
    /// What is wrong with single members.
    pub faults: Vec<(String, String)>,
}

impl Desk {
    /// `form` for the place whose route has `path`, filled from `thing`. Nothing where the operator's role may not, or
    /// where it is not for this thing.
    ///
    /// # Errors
    /// `internal` where it cannot be rendered.
    pub(super) fn form(&self, form: &'static Form, path: &[(&str, &str)], thing: &Value) -> Result<Option<Markup>> {
        if form.is_for(thing) { self.formed(form, path, thing, "", None) } else { Ok(None) }
    }

    /// The same as a row's action.
    ///
    /// # Errors
    /// See [`Desk::form`].
    pub(super) fn row_form(
        &self,
        form: &'static Form,
        path: &[(&str, &str)],
        id: &str,
        row: &Value,
    ) -> Result<Option<Markup>> {
        if form.is_for(row) { self.formed(form, path, row, id, None) } else { Ok(None) }
    }

    /// The same again, with what was sent and what is wrong with it.
    ///
    /// # Errors
    /// See [`Desk::form`].
    pub(super) fn form_again(&self, form: &'static Form, path: &[(&str, &str)], sent: &Sent) -> Result<Option<Markup>> {
        self.formed(form, path, &Value::Null, "", Some(sent))
    }

    fn formed(
        &self,
        form: &'static Form,
        path: &[(&str, &str)],
        thing: &Value,
        row: &str,
        sent: Option<&Sent>,
    ) -> Result<Option<Markup>> {
        if !self.may(form.duty) {
            return Ok(None);
        }
        let words = self.words;
        let id = if row.is_empty() { form.name.to_owned() } else { format!("{}-{row}", form.name) };
        let field = |field: &'static Field| field_view(field, &id, thing, sent, words);
        let typed = match form.confirm.strip_prefix('=') {
            Some(word) => word.to_owned(),
            None => sent
                .and_then(|sent| sent_value(sent, "must"))
                .or_else(|| thing.pointer(form.confirm).map(plain))
                .unwrap_or_default(),
        };
        let view = View {
            words,
            form,
            title: words.say(form.title),
            about: words.say(form.about),
            csrf: self.csrf(),
            once: uuid::Uuid::now_v7().to_string(),
            back: self.back(),
            path: places(form.api, path, thing),
            fields: form.fields.iter().map(field).collect(),
            why: sent.and_then(|sent| sent_value(sent, "reason")).unwrap_or_default(),
            why_fault: sent.and_then(|sent| fault_of(sent, "reason")).unwrap_or_default(),
            typed: if form.confirm.is_empty() { String::new() } else { typed },
            fault: sent.and_then(|sent| sent.fault.clone()),
            is_row: !row.is_empty(),
            is_open: sent.is_some(),
            id,
        };
        Markup::of(&view).map(Some)
    }
}

fn sent_value(sent: &Sent, name: &str) -> Option<String> {
    sent.values.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone())
}

/// What is wrong with a member, or with something in it.
fn fault_of(sent: &Sent, member: &str) -> Option<String> {
    sent.faults.iter().find(|(one, _)| one.split(['.', '[']).next() == Some(member)).map(|(_, why)| why.clone())
}

fn field_view(
    field: &'static Field,
    form: &str,
    thing: &Value,
    sent: Option<&Sent>,
    words: Words,
) -> FieldView<'static> {
    let name = format!("f.{}", field.name);
    let known = thing.pointer(field.now).filter(|_| !field.now.is_empty());
    let values: Vec<String> = match (sent, known) {
        (Some(sent), _) => sent.values.iter().filter(|(one, _)| *one == name).map(|(_, value)| value.clone()).collect(),
        (None, Some(Value::Array(list))) => list.iter().map(plain).collect(),
        (None, Some(value)) => vec![plain(value)],
        (None, None) => Vec::new(),
    };
    let is_on = |word: &str| values.iter().any(|value| value == word);
    let options = match field.kind {
        Kind::Choice(words) | Kind::Choices(words) => words.iter().map(|word| (*word, is_on(word))).collect(),
        Kind::Flag => vec![("true", is_on("true"))],
        _ => Vec::new(),
    };
    let fault = sent.and_then(|sent| fault_of(sent, field.name));
    FieldView {
        id: format!("{form}-{}", field.name),
        label: words_of(words, field.label),
        help: words_of(words, field.help),
        value: match field.kind {
            Kind::Lines => values.join("\n"),
            Kind::Moment => values.join("").chars().take(16).collect(),
            _ => values.join(", "),
        },
        kind: field.kind,
        is_required: field.is_required,
        options,
        fault: fault.unwrap_or_default(),
        name,
    }
}

fn words_of(words: Words, text: &'static str) -> &'static str {
    words.say(text)
}

/// The values of the route's `{name}` and `{/pointer}` parts, by what stands between the braces.
fn places(api: &str, path: &[(&str, &str)], row: &Value) -> Vec<(String, String)> {
    let parts = api.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name));
    let value = |name: &str| match name.starts_with('/') {
        true => row.pointer(name).map(plain),
        false => path.iter().find(|(one, _)| *one == name).map(|(_, value)| String::from(*value)),
    };
    parts.filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
}

/// Where a form leads once it is done: `then`, filled from the answer.
pub(super) fn after(form: &Form, answer: &Value) -> Option<String> {
    if form.then.is_empty() { None } else { filled(form.then, answer) }
}
