//! Reading: file and environment together, faults noted as they are met, nothing ever stopped at the first.

use std::collections::BTreeMap;

use super::concern::{Fallback, Key};
use super::fault::{Fault, Origin, Wrong, did_you_mean};
use super::setting::Setting;
use super::value::{Entry, Table, Value};

/// A key that is written in the file or as a variable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ConfigKey)]
pub struct Written {
    /// Its full name, e.g. `server.bind`.
    pub key: String,
    /// Where it is written: a line of the file, or a variable.
    pub place: String,
    /// What it holds; null where that may be a secret, which is every text of no fixed form.
    pub value: Option<String>,
    /// What stands in for it where it is not written; null where nothing does.
    pub default: Option<String>,
}

/// What is being read, and what has been found wrong with it.
#[derive(Debug)]
pub struct Reader {
    /// The file's name as the operator gave it.
    pub file: String,
    /// `POSTERN_*` variables that are not empty and have not been taken yet.
    pub env: BTreeMap<String, String>,
    /// What stands in for keys by their variable, over the built-in defaults.
    pub defaults: BTreeMap<&'static str, &'static str>,
    /// Every fault so far.
    pub faults: Vec<Fault>,
    /// Where each key that was written stands, by its full name.
    pub origins: BTreeMap<String, Origin>,
    /// Every key that was written, in the order of reading.
    pub written: Vec<Written>,
}

impl Reader {
    /// Notes a fault of `key`, at the place where it was written.
    pub fn fault(&mut self, key: &str, wrong: Wrong) {
        let origin = self.origins.get(key).cloned().unwrap_or_else(|| Origin::Whole(self.file.clone()));
        self.faults.push(Fault { origin, key: key.to_owned(), wrong });
    }

    /// Notes a fault of `key` on a line of the file.
    pub fn fault_at(&mut self, line: usize, key: &str, wrong: Wrong) {
        let origin = Origin::Line(self.file.clone(), line);
        self.faults.push(Fault { origin, key: key.to_owned(), wrong });
    }
}

/// One table of the configuration on its way to a concern.
#[derive(Debug)]
pub struct Section<'r> {
    reader: &'r mut Reader,
    /// The table's name in the file, empty for the top level.
    name: String,
    /// What makes a variable of a key that names none.
    prefix: String,
    table: Table,
}

impl<'r> Section<'r> {
    /// The table `name`, whose keys carry their own variables.
    pub fn named(reader: &'r mut Reader, name: &str, table: Table) -> Self {
        Section { reader, name: name.to_owned(), prefix: String::new(), table }
    }

    /// A table whose variables begin with `prefix`.
    pub fn prefixed(reader: &'r mut Reader, name: &str, prefix: &str, table: Table) -> Self {
        Section { reader, name: name.to_owned(), prefix: prefix.to_owned(), table }
    }

    /// Takes one key: its variable, else the file's value, else what stands in. `None` after noting a fault.
    pub fn take<T: Setting>(&mut self, key: &Key, check: impl Fn(&T) -> Result<(), Wrong>) -> Option<T> {
        let full = self.full(key.name);
        let variable = self.variable(key);
        let overruled = self.reader.env.contains_key(&variable);
        let written = self.table.remove(key.name).map(|Entry { value, line }| {
            let origin = Origin::Line(self.reader.file.clone(), line);
            if !overruled {
                self.note_written::<T>((&full, key), &origin, &value);
            }
            self.judge(&full, origin, &value, &check)
        });
        if let Some(text) = self.reader.env.remove(&variable) {
            let (origin, value) = (Origin::Variable(variable), Value::Word(text));
            self.note_written::<T>((&full, key), &origin, &value);
            return self.judge(&full, origin, &value, &check);
        }
        match (written, key.fallback) {
            (Some(read), _) => read,
            (None, Fallback::Default(text)) => {
                let text = self.reader.defaults.get(variable.as_str()).copied().unwrap_or(text);
                self.stand_in(&full, text)
            }
            (None, Fallback::Example(_)) => T::absent(),
            (None, Fallback::Required(example)) => {
                let shown = (key.toml)(example);
                self.missing(&full, &format!("write {} = {shown}", key.name));
                None
            }
        }
    }

    /// What a key will be read as, without taking it or noting a fault: for checks of several keys, which are made
    /// although another key is wrong.
    pub fn peek<T: Setting>(&self, key: &Key) -> Option<T> {
        let variable = self.variable(key);
        if let Some(text) = self.reader.env.get(&variable) {
            return T::read(&Value::Word(text.clone())).ok();
        }
        match (self.table.get(key.name), key.fallback) {
            (Some(entry), _) => T::read(&entry.value).ok(),
            (None, Fallback::Default(text)) => T::read(&Value::Word(String::from(text))).ok(),
            (None, Fallback::Example(_)) => T::absent(),
            (None, Fallback::Required(_)) => None,
        }
    }

    /// Whether a key is written, in the file or as a variable, rightly or not.
    pub fn is_written(&self, key: &Key) -> bool {
        self.table.contains_key(key.name) || self.reader.env.contains_key(&self.variable(key))
    }

    /// Takes a table inside this one; its variables begin with this section's and its own name.
    pub fn take_table(&mut self, name: &str) -> Option<Section<'_>> {
        let prefix = format!("{}{}_", self.prefix, name.to_ascii_uppercase());
        let full = self.full(name);
        let has_variable = self.reader.env.keys().any(|key| key.starts_with(&prefix));
        let table = match self.table.remove(name) {
            Some(Entry { value: Value::Table(table), line }) => {
                self.reader.origins.insert(full.clone(), Origin::Line(self.reader.file.clone(), line));
                table
            }
            Some(Entry { value, line }) => {
                let what = format!("is {}, not a table", value.type_name());
                self.reader.fault_at(line, &full, Wrong::new(what, format!("write it under [{full}]")));
                return None;
            }
            None if has_variable => Table::new(),
            None => return None,
        };
        Some(Section { reader: self.reader, name: full, prefix, table })
    }

    /// Notes a fault of one of this section's keys.
    pub fn fault(&mut self, name: &str, wrong: Wrong) {
        let full = self.full(name);
        if self.reader.origins.contains_key(&full) {
            self.reader.fault(&full, wrong);
        } else {
            self.missing_with(&full, wrong);
        }
    }

    /// Notes what is left in the table once every key has been taken.
    pub fn refuse_unknown(&mut self, known: &[Key]) {
        for (name, entry) in std::mem::take(&mut self.table) {
            let hint = match did_you_mean(&name, known.iter().map(|key| key.name)) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    let all: Vec<&str> = known.iter().map(|key| key.name).collect();
                    format!("known here: {}", all.join(", "))
                }
            };
            let full = self.full(&name);
            self.reader.fault_at(entry.line, &full, Wrong::new("is not a known key", hint));
        }
    }

    fn full(&self, name: &str) -> String {
        if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) }
    }

    fn variable(&self, key: &Key) -> String {
        if key.env.is_empty() {
            format!("{}{}", self.prefix, key.name.to_ascii_uppercase())
        } else {
            key.env.to_owned()
        }
    }

    /// Keeps that the key is written; its value only where its type can hold no secret.
    fn note_written<T: Setting>(&mut self, (full, key): (&str, &Key), origin: &Origin, value: &Value) {
        let default = match key.fallback {
            Fallback::Default(text) => Some(text.to_owned()),
            Fallback::Example(_) | Fallback::Required(_) => None,
        };
        let value = if T::SHOWN { value.shown() } else { None };
        let written = Written { key: full.to_owned(), place: origin.to_string(), value, default };
        self.reader.written.push(written);
    }

    fn judge<T: Setting>(
        &mut self,
        full: &str,
        origin: Origin,
        value: &Value,
        check: &impl Fn(&T) -> Result<(), Wrong>,
    ) -> Option<T> {
        self.reader.origins.insert(full.to_owned(), origin);
        let read = T::read(value).and_then(|read| check(&read).map(|()| read));
        read.map_err(|wrong| self.reader.fault(full, wrong)).ok()
    }

    fn stand_in<T: Setting>(&mut self, full: &str, text: &str) -> Option<T> {
        T::read(&Value::Word(text.to_owned())).map_err(|wrong| self.reader.fault(full, wrong)).ok()
    }

    fn missing(&mut self, full: &str, hint: &str) {
        self.missing_with(full, Wrong::new("is missing", hint));
    }

    /// A fault of a key that is not written stands at the table it belongs to.
    fn missing_with(&mut self, full: &str, wrong: Wrong) {
        let whole = || Origin::Whole(self.reader.file.clone());
        let origin = self.reader.origins.get(&self.name).cloned().unwrap_or_else(whole);
        self.reader.faults.push(Fault { origin, key: full.to_owned(), wrong });
    }
}
