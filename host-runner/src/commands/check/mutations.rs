//! What policies make of objects, in the text of the files that these come from: as diffs, and written back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rayon::prelude::*;
use serde_json::Value;

use super::{CheckReport, CheckResult, Fixed, MutationDiff};
use crate::files;
use crate::manifest::edit::{Change, Edit, Editor, Refusal, unified_diff};
use crate::manifest::{Problem, problem};

/// The texts of files, by their names.
pub(super) type Texts = BTreeMap<Arc<str>, String>;

/// Adds a diff to each result that mutates.
pub(super) fn show(report: &mut CheckReport, texts: &Texts) {
    let files = MutatedFile::all(&report.results, texts);
    let diffs: Vec<(usize, MutationDiff)> = files.par_iter().flat_map(MutatedFile::diffs).collect();
    let mutated: Vec<usize> = mutated(&report.results).map(|(index, _)| index).collect();
    for index in mutated {
        let result = &mut report.results[index];
        if !texts.contains_key(&result.subject.file) {
            let reason = "read from a pipe, not from a file".to_owned();
            result.diff = Some(MutationDiff::OutOfFile { reason });
        }
    }
    for (index, diff) in diffs {
        report.results[index].diff = Some(diff);
    }
}

/// Writes each object that was mutated back to its file, as the last policy left it.
pub(super) fn fix(report: &mut CheckReport, texts: &Texts) {
    let files = MutatedFile::all(&report.results, texts);
    let written: Vec<(Option<Fixed>, Vec<Problem>)> = files.par_iter().map(MutatedFile::fix).collect();
    let mut problems: Vec<Problem> = mutated(&report.results)
        .filter(|(_, result)| !texts.contains_key(&result.subject.file))
        .map(|(_, result)| {
            not_fixed(&result.subject.file, Some(result.subject.line), "it was read from a pipe, not from a file")
        })
        .collect();
    problems.dedup();
    report.problems.extend(problems);
    let fixed = report.fixed.get_or_insert_default();
    for (file, problems) in written {
        fixed.extend(file);
        report.problems.extend(problems);
    }
}

fn mutated(results: &[CheckResult]) -> impl Iterator<Item = (usize, &CheckResult)> {
    results.iter().enumerate().filter(|(_, result)| result.outcome.mutated.is_some())
}

fn not_fixed(file: &str, line: Option<usize>, reason: &str) -> Problem {
    problem(file, line, format!("the mutation must be made by hand: {reason}"))
}

/// A file with objects that are mutated. Several names of one file are one file.
struct MutatedFile<'r> {
    name: Arc<str>,
    text: &'r str,
    /// By their position, and each as often as it was checked.
    objects: BTreeMap<usize, Vec<MutatedObject<'r>>>,
}

/// An object, and what policy after policy has made of it.
struct MutatedObject<'r> {
    before: &'r Value,
    last: &'r Value,
    /// With the index of the result.
    steps: Vec<(usize, &'r Value)>,
}

impl<'r> MutatedFile<'r> {
    fn all(results: &'r [CheckResult], texts: &'r Texts) -> Vec<Self> {
        let mut files: BTreeMap<PathBuf, Self> = BTreeMap::new();
        let mut paths: BTreeMap<&str, PathBuf> = BTreeMap::new();
        for (index, result) in mutated(results) {
            let name = &result.subject.file;
            let (Some(text), Some(before), Some(after)) = (texts.get(name), &result.before, &result.outcome.mutated)
            else {
                continue;
            };
            let path = paths.entry(name).or_insert_with(|| {
                let path = Path::new(&**name);
                path.canonicalize().unwrap_or_else(|_| path.to_owned())
            });
            let file = files.entry(path.clone());
            let file = file.or_insert_with(|| MutatedFile { name: name.clone(), text, objects: BTreeMap::new() });
            let times = file.objects.entry(result.subject.position).or_default();
            match times.last_mut() {
                Some(object) if object.last == before => {
                    object.last = after;
                    object.steps.push((index, after));
                }
                _ => times.push(MutatedObject { before, last: after, steps: vec![(index, after)] }),
            }
        }
        files.into_values().collect()
    }

    /// The edits that make each object what one policy after the other has made of it. All objects are changed at once,
    /// since the file is read again for each proof.
    fn steps(&self, editor: &Editor<'_>) -> BTreeMap<usize, Result<Vec<Edit>, Refusal>> {
        let mut steps: BTreeMap<usize, Result<Vec<Edit>, Refusal>> = BTreeMap::new();
        for number in 0.. {
            let is_possible = |position: &usize| steps.get(position).is_none_or(Result::is_ok);
            let changes = self.changes(|position, object| {
                object.steps.get(number).filter(|_| is_possible(position)).map(|(_, after)| *after)
            });
            if changes.is_empty() {
                break;
            }
            for (change, edit) in changes.iter().zip(editor.edits(&changes)) {
                let known = steps.remove(&change.position).unwrap_or_else(|| Ok(Vec::new()));
                let known = known.and_then(|mut known| {
                    known.push(edit?);
                    Ok(known)
                });
                steps.insert(change.position, known);
            }
        }
        steps
    }

    fn changes(&self, after: impl Fn(&usize, &MutatedObject<'r>) -> Option<&'r Value>) -> Vec<Change<'r>> {
        let objects = self.objects.iter().filter_map(|(position, times)| Some((position, times.first()?)));
        objects
            .filter_map(|(position, object)| {
                Some(Change { position: *position, before: object.before, after: after(position, object)? })
            })
            .collect()
    }

    /// A diff for each step. Each is against the file as those above it leave it, so that all of them can be applied.
    fn diffs(&self) -> Vec<(usize, MutationDiff)> {
        let editor = Editor::new(self.text);
        let edits = self.steps(&editor);
        let mut diffs = Vec::new();
        let mut above: Vec<&Edit> = Vec::new();
        let mut before = self.text.to_owned();
        for (position, times) in &self.objects {
            let Some((object, again)) = times.split_first() else { continue };
            let again = again.iter().flat_map(|object| &object.steps);
            diffs.extend(again.map(|(index, _)| (*index, MutationDiff::Above)));
            let edits = match &edits[position] {
                Ok(edits) => edits,
                Err(refusal) => {
                    let reason = format!("line {}: {}", refusal.line, refusal.reason);
                    let diff = MutationDiff::OutOfFile { reason };
                    diffs.extend(object.steps.iter().map(|(index, _)| (*index, diff.clone())));
                    continue;
                }
            };
            for ((index, _), edit) in object.steps.iter().zip(edits) {
                let after = editor.text(above.iter().copied().chain([edit])).unwrap_or_else(|| before.clone());
                diffs.push((*index, MutationDiff::InFile { text: unified_diff(&self.name, &before, &after) }));
                before = after;
            }
            above.extend(edits.last());
        }
        diffs
    }

    /// Writes the file, if there is something to write and nothing has become of it since it was read.
    fn fix(&self) -> (Option<Fixed>, Vec<Problem>) {
        let editor = Editor::new(self.text);
        let mut problems = Vec::new();
        let mut edits = Vec::new();
        let changes = self.changes(|_, object| Some(object.last));
        for (change, edit) in changes.iter().zip(editor.edits(&changes)) {
            let times = &self.objects[&change.position];
            match edit {
                Ok(_) if times.iter().any(|object| object.last != times[0].last) => {
                    problems.push(not_fixed(&self.name, None, "the file is checked twice, and comes out differently"));
                }
                Ok(edit) => edits.push(edit),
                Err(refusal) => problems.push(not_fixed(&self.name, Some(refusal.line), &refusal.reason)),
            }
        }
        problems.dedup();
        let fixed = match editor.text(&edits).filter(|text| text != self.text) {
            None => None,
            Some(text) => match self.write(&text) {
                Ok(()) => Some(Fixed { file: self.name.to_string(), objects: edits.len() }),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            },
        };
        (fixed, problems)
    }

    fn write(&self, text: &str) -> Result<(), Problem> {
        let path = Path::new(&*self.name);
        let failed = |error: io::Error| problem(&self.name, None, format!("cannot be written: {error}"));
        if fs::read(path).map_err(failed)? != self.text.as_bytes() {
            return Err(problem(&self.name, None, "has changed while it was checked, and is not written"));
        }
        files::write_whole(path, text.as_bytes()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file<'r>(name: &Path, text: &'r str, before: &'r Value, lasts: &[&'r Value]) -> MutatedFile<'r> {
        let times = lasts.iter().map(|last| MutatedObject { before, last, steps: vec![(0, last)] }).collect();
        MutatedFile { name: name.display().to_string().into(), text, objects: BTreeMap::from([(0, times)]) }
    }

    #[test]
    fn what_has_changed_meanwhile_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        let text = "apiVersion: v1\nkind: Pod\na: 1\n";
        let [before, after, other] = [1, 2, 3].map(|a| json!({ "apiVersion": "v1", "kind": "Pod", "a": a }));
        fs::write(&path, "kind: something else\n").expect("a file");
        let (fixed, problems) = file(&path, text, &before, &[&after]).fix();
        assert_eq!((fixed, problems.len()), (None, 1));
        assert!(problems[0].message.starts_with("has changed while it was checked"), "{}", problems[0]);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "kind: something else\n");

        fs::write(&path, text).expect("a file");
        let (fixed, problems) = file(&path, text, &before, &[&after, &other]).fix();
        assert_eq!((fixed, problems.len()), (None, 1));
        let (fixed, problems) = file(&path, text, &before, &[&after, &after]).fix();
        assert_eq!((fixed.map(|fixed| fixed.objects), problems), (Some(1), Vec::new()));
        assert_eq!(fs::read_to_string(&path).expect("a file"), text.replace('1', "2").replace("v2", "v1"));
    }
}
