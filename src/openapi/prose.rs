//! Texts of the document as HTML: escaped, paragraphs, and `code` between backticks. No other markup.

/// The text as paragraphs.
pub fn paragraphs(text: &str) -> String {
    let parts = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| format!("<p>{}</p>", inline(part))).collect()
}

/// The text within a line.
pub fn inline(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(at, piece)| if at % 2 == 1 { format!("<code>{}</code>", escape(piece)) } else { escape(piece) })
        .collect()
}

/// A value as indented JSON.
pub fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_bring_markup_of_its_own() {
        assert_eq!(inline("a <b> & `x<y>` \"q\""), "a &lt;b&gt; &amp; <code>x&lt;y&gt;</code> &quot;q&quot;");
        assert_eq!(paragraphs("one\n\ntwo `2`"), "<p>one</p><p>two <code>2</code></p>");
    }
}
