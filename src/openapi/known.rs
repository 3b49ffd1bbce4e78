//! Which paths exist: what tells a method that a route does not take from a route that does not exist.

use serde_json::Value;

use super::finish::operations;

/// Every path of the document with its methods.
pub struct KnownPaths(Vec<KnownPath>);

struct KnownPath {
    segments: Vec<String>,
    methods: Vec<String>,
}

impl KnownPaths {
    /// The paths of `document`.
    pub fn of(document: &Value) -> Self {
        let mut known: Vec<KnownPath> = Vec::new();
        for (method, path, _) in operations(document) {
            let segments: Vec<String> = path.split('/').map(String::from).collect();
            let method = method.to_uppercase();
            match known.iter_mut().find(|one| one.segments == segments) {
                Some(one) => one.methods.push(method),
                None => known.push(KnownPath { segments, methods: vec![method] }),
            }
        }
        KnownPaths(known)
    }

    /// The methods of the path that is most like `path`, as the Allow header lists them; `None` where there is no such
    /// path.
    pub fn allow(&self, path: &str) -> Option<String> {
        let asked: Vec<&str> = path.split('/').collect();
        let fitting = self.0.iter().filter(|one| one.fits(&asked));
        fitting.min_by_key(|one| one.variables()).map(|one| one.methods.join(", "))
    }
}

impl KnownPath {
    fn fits(&self, asked: &[&str]) -> bool {
        self.segments.len() == asked.len()
            && self
                .segments
                .iter()
                .zip(asked)
                .all(|(own, asked)| own == asked || (is_variable(own) && !asked.is_empty()))
    }

    fn variables(&self) -> usize {
        self.segments.iter().filter(|segment| is_variable(segment)).count()
    }
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_most_literal_path_tells_its_methods() {
        let known = KnownPaths::of(&json!({"paths": {
            "/v1/messages": {"get": {}, "post": {}}, "/v1/messages/{id}": {"get": {}}, "/v1/messages/bulk": {"post": {}},
        }}));
        assert_eq!(known.allow("/v1/messages").as_deref(), Some("GET, POST"));
        assert_eq!(known.allow("/v1/messages/bulk").as_deref(), Some("POST"));
        assert_eq!(known.allow("/v1/messages/msg_1").as_deref(), Some("GET"));
        assert_eq!((known.allow("/v1/messages/"), known.allow("/v1/nothing")), (None, None));
    }
}
