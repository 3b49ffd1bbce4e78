//! `application/x-www-form-urlencoded`, both ways. Source: <https://url.spec.whatwg.org/#urlencoded-parsing>.

/// Writes pairs as a form.
pub fn encode(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        write_escaped(&mut out, name);
        out.push('=');
        write_escaped(&mut out, value);
    }
    out
}

/// Reads a form into its pairs, in order, repeated names kept. `None` where it is not UTF-8 or an escape is broken.
pub fn decode(form: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs = form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            Some((unescape(halves.next()?)?, unescape(halves.next().unwrap_or_default())?))
        })
        .collect()
}

fn write_escaped(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

fn unescape(text: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => out.push(hex(bytes.next()?)? << 4 | hex(bytes.next()?)?),
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_back_what_was_written() {
        let pairs = [("To", "+44 7700"), ("Body", "a&b=c%d\r\né🎈"), ("Empty", ""), ("To", "again")];
        let read = decode(encode(&pairs).as_bytes()).unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, pairs);
    }

    #[test]
    fn broken_forms_are_refused() {
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=\xff", b"%=1"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        assert_eq!(decode(b""), Some(Vec::new()));
        assert_eq!(decode(b"&&a&"), Some(vec![(String::from("a"), String::new())]));
    }
}
