//! The custom sections of a module: Kubewarden's `io.kubewarden.metadata`, and the schema of the settings.

use crate::{Metadata, SchemaError, SettingsSchema};

const NAME: &str = "io.kubewarden.metadata";

/// Kubewarden knows no such section, and hosts pass over sections that they do not know.
const SCHEMA_NAME: &str = "host-runner.settings-schema";

/// Why a module's metadata cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// These bytes are no WebAssembly module.
    #[error("not a WebAssembly module")]
    NotWasm(#[source] wasmparser::BinaryReaderError),
    /// The section holds something else.
    #[error("the policy's metadata cannot be read")]
    Content(#[source] serde_json::Error),
    /// The section of the schema holds something else.
    #[error("the schema of the policy's settings cannot be read")]
    Schema(#[source] SchemaError),
}

/// The metadata of a module; `None` when it is not annotated. Of several sections the first counts, as it does for
/// Kubewarden.
///
/// # Errors
///
/// When the bytes are no module, or the section no metadata.
pub fn of_module(wasm: &[u8]) -> Result<Option<Metadata>, SectionError> {
    let content = first_section(wasm, NAME)?;
    content.map(|content| serde_json::from_slice(content).map_err(SectionError::Content)).transpose()
}

/// The schema of the settings that a module carries; `None` when it carries none.
///
/// # Errors
///
/// When the bytes are no module, or the section no schema.
pub fn schema_of_module(wasm: &[u8]) -> Result<Option<SettingsSchema>, SectionError> {
    let content = first_section(wasm, SCHEMA_NAME)?;
    content.map(|content| SettingsSchema::from_bytes(content).map_err(SectionError::Schema)).transpose()
}

fn first_section<'w>(wasm: &'w [u8], name: &str) -> Result<Option<&'w [u8]>, SectionError> {
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let wasmparser::Payload::CustomSection(section) = payload.map_err(SectionError::NotWasm)?
            && section.name() == name
        {
            return Ok(Some(section.data()));
        }
    }
    Ok(None)
}

/// The module with the metadata behind everything else.
///
/// # Errors
///
/// When the metadata cannot be written as JSON.
pub fn annotated(module: &[u8], metadata: &Metadata) -> Result<Vec<u8>, serde_json::Error> {
    Ok(with_section(module, NAME, &serde_json::to_vec(metadata)?))
}

/// The module with the schema of its settings behind everything else, as it is written.
pub fn with_settings_schema(module: &[u8], schema: &SettingsSchema) -> Vec<u8> {
    with_section(module, SCHEMA_NAME, schema.text().as_bytes())
}

/// A custom section: id 0, then the size of the rest, then the name with its length, then the content.
fn with_section(module: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut section = leb128(name.len());
    section.extend(name.as_bytes());
    section.extend(content);
    let mut extended = module.to_vec();
    extended.push(0);
    extended.extend(leb128(section.len()));
    extended.extend(section);
    extended
}

/// The module as it was before somebody annotated it, without a schema of its settings, too; `None` when nobody has.
///
/// # Errors
///
/// When the bytes are no module.
pub fn without_sections(wasm: &[u8]) -> Result<Option<Vec<u8>>, SectionError> {
    let mut pristine = Vec::with_capacity(wasm.len());
    let mut kept = 0;
    let mut is_annotated = false;
    let mut end = 0;
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(SectionError::NotWasm)?;
        if let wasmparser::Payload::CustomSection(section) = &payload
            && matches!(section.name(), NAME | SCHEMA_NAME)
        {
            // The section begins where the one before it ended: its id and size stand in front of its range.
            pristine.extend_from_slice(&wasm[kept..end]);
            kept = section.range().end;
            is_annotated = true;
        }
        if let Some((_, range)) = payload.as_section() {
            end = range.end;
        } else if let wasmparser::Payload::Version { range, .. } = payload {
            end = range.end;
        }
    }
    pristine.extend_from_slice(&wasm[kept..]);
    Ok(is_annotated.then_some(pristine))
}

/// WebAssembly's variable-length integers.
fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Magic number and version; a type section without types; a custom section `a` with one byte.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x01\0\0\x03\x01a\x07";

    fn metadata(title: &str) -> Metadata {
        Metadata::from_yaml(&format!(
            "rules: []\nmutating: false\nannotations: {{io.kubewarden.policy.title: {title}}}"
        ))
        .expect("metadata")
        .0
    }

    #[test]
    fn what_is_annotated_can_be_read_and_taken_away() {
        assert_eq!(of_module(MODULE).expect("a module"), None);
        let once = annotated(MODULE, &metadata("one")).expect("annotated");
        assert_eq!(of_module(&once).expect("a module").expect("annotated").title(), Some("one"));
        let twice = annotated(&once, &metadata("two")).expect("annotated");
        assert_eq!(of_module(&twice).expect("a module").expect("annotated").title(), Some("one"));
        assert_eq!(without_sections(&twice).expect("a module").as_deref(), Some(MODULE));
        assert_eq!(without_sections(MODULE).expect("a module"), None);
    }

    #[test]
    fn a_schema_stands_beside_the_metadata() {
        let text = "{\"type\": \"object\",\n \"properties\": {\"a\": {\"type\": \"string\"}}}";
        let schema = SettingsSchema::parse(text).expect("a schema");
        let both = with_settings_schema(&annotated(MODULE, &metadata("one")).expect("annotated"), &schema);
        assert_eq!(schema_of_module(&both).expect("a module").expect("a schema").text(), text);
        assert_eq!(of_module(&both).expect("a module").expect("annotated").title(), Some("one"));
        assert_eq!(without_sections(&both).expect("a module").as_deref(), Some(MODULE));
        assert!(schema_of_module(MODULE).expect("a module").is_none());
        assert!(schema_of_module(&with_section(MODULE, SCHEMA_NAME, b"[]")).is_err());
    }

    #[test]
    fn sections_in_the_middle_are_taken_away_too() {
        let one = annotated(b"\0asm\x01\0\0\0", &metadata("one")).expect("annotated");
        let module = [&one[..], &MODULE[8..]].concat();
        assert_eq!(without_sections(&module).expect("a module").as_deref(), Some(MODULE));
    }

    #[test]
    fn garbage_is_no_module() {
        for garbage in [&b""[..], b"text", b"\0asm\x01\0\0\0\0\x7f"] {
            assert!(of_module(garbage).is_err(), "{garbage:?}");
            assert!(without_sections(garbage).is_err(), "{garbage:?}");
        }
    }
}
