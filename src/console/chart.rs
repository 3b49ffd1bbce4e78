//! A chart over time: drawn by uPlot, with its table as a twin for who cannot see it or has no scripts.

use askama::Template;
use serde_json::json;

use crate::clock::Millis;
use crate::console::markup::Markup;
use crate::error::Result;
use crate::words::Words;

/// One line or layer of a chart.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// What it counts, in English.
    pub label: &'static str,
    /// Its colour: a class of the style sheet, `good`, `bad`, `warn`, `neutral` or `accent`.
    pub tone: &'static str,
    /// A value for each moment.
    pub values: Vec<f64>,
}

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    /// What it shows, in English.
    pub title: &'static str,
    /// Whether the series stand on each other.
    pub is_stacked: bool,
    /// The moments, rising.
    pub at: Vec<Millis>,
    /// The series.
    pub series: Vec<Series>,
    /// Where a click on a moment leads: `{from}` and `{to}` stand for its ends (RFC 3339). Empty where nowhere.
    pub link: &'static str,
}

#[derive(Template)]
#[template(path = "console/chart.html")]
struct View<'a> {
    words: Words,
    title: &'a str,
    /// What the script draws, JSON.
    data: String,
    heads: Vec<&'a str>,
    rows: Vec<(String, Vec<String>)>,
}

impl Chart {
    /// The chart as markup.
    ///
    /// # Errors
    /// `internal` where it cannot be rendered.
    pub(super) fn show(&self, words: Words) -> Result<Markup> {
        let series = self
            .series
            .iter()
            .map(|one| json!({"label": words.say(one.label), "tone": one.tone, "values": one.values}));
        let seconds: Vec<i64> = self.at.iter().map(|at| at.0.div_euclid(1000)).collect();
        let data =
            json!({"at": seconds, "series": series.collect::<Vec<_>>(), "stacked": self.is_stacked, "link": self.link});
        let rows = self.at.iter().enumerate().map(|(index, at)| {
            let values = self.series.iter().map(|one| one.values.get(index).copied().unwrap_or_default());
            (
                at.rfc3339().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect(),
                values.map(|v| v.to_string()).collect(),
            )
        });
        Markup::of(&View {
            words,
            title: words.say(self.title),
            data: data.to_string(),
            heads: self.series.iter().map(|one| words.say(one.label)).collect(),
            rows: rows.collect(),
        })
    }
}
