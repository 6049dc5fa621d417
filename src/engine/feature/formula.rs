//! What a feature computes, in words: the formulas that the reference of the features shows.

use serde_json::Value;

use super::kind::FeatureKind;

/// The file that documents the kinds: the reference is made of its comments, too.
const KINDS: &str = include_str!("kind.rs");

impl FeatureKind {
    /// Its name in a `[[feature]]` table.
    #[must_use]
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            _ => String::new(),
        }
    }

    /// Its formula, as the reference of the features has it; empty for a kind without one.
    #[must_use]
    pub fn formula(self) -> String {
        formula_in(KINDS, &self.name())
    }
}

/// The formula of the variant of this name, which is the comment line `Formula:` and those that continue it.
fn formula_in(text: &str, name: &str) -> String {
    let mut formula: Vec<&str> = vec![];
    let mut is_formula = false;
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("///").map(str::trim) {
            Some(comment) => {
                let begin = comment.strip_prefix("Formula:");
                is_formula = begin.is_some() || is_formula && !is_label(comment);
                if is_formula {
                    formula.push(begin.unwrap_or(comment).trim());
                }
            }
            None if line.starts_with("#[") => {}
            None => {
                let variant: String = line
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                if !variant.is_empty() && snake(&variant) == name {
                    return formula.join(" ");
                }
                formula.clear();
                is_formula = false;
            }
        }
    }
    String::new()
}

fn is_label(comment: &str) -> bool {
    let labels = ["Unit:", "Warm-up:", "Needs:", "Source:"];
    comment.is_empty() || labels.iter().any(|label| comment.starts_with(label))
}

fn snake(name: &str) -> String {
    let mut all = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            all.push('_');
        }
        all.push(letter.to_ascii_lowercase());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_formula_of_the_reference() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/src/reference/features.md"
        );
        let page = std::fs::read_to_string(path).unwrap();
        let mut kinds = 0;
        for section in page.split("\n## `").skip(1) {
            let (name, rest) = section.split_once('`').unwrap();
            let line = rest
                .lines()
                .find_map(|line| line.strip_prefix("- Formula: "));
            let kind: FeatureKind = serde_json::from_value(name.into()).unwrap();
            assert_eq!(kind.name(), name);
            assert_eq!(kind.formula(), line.unwrap(), "{name}");
            kinds += 1;
        }
        assert!(kinds > 20, "{kinds}");
    }
}
