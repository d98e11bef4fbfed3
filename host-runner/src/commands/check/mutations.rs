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
            let path = paths.entry(name).or_insert_with(|| Path::new(&**name).canonicalize().unwrap_or_default());
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

    /// How each object gets to what the last policy has made of it.
    fn edits(&self, editor: &Editor<'_>) -> BTreeMap<usize, Result<Edit, Refusal>> {
        let changes: Vec<Change<'_>> = self
            .objects
            .iter()
            .filter_map(|(position, times)| {
                let object = times.first()?;
                Some(Change { position: *position, before: object.before, after: object.last })
            })
            .collect();
        changes.iter().map(|change| change.position).zip(editor.edits(&changes)).collect()
    }

    /// A diff for each step. Each is against the file as those above it leave it, so that all of them can be applied.
    fn diffs(&self) -> Vec<(usize, MutationDiff)> {
        let editor = Editor::new(self.text);
        let edits = self.edits(&editor);
        let mut diffs = Vec::new();
        let mut above: Vec<&Edit> = Vec::new();
        for (position, times) in &self.objects {
            let Some((object, again)) = times.split_first() else { continue };
            let above_again = again.iter().flat_map(|object| &object.steps);
            diffs.extend(above_again.map(|(index, _)| (*index, MutationDiff::Above)));
            let edit = match &edits[position] {
                Ok(edit) => edit,
                Err(refusal) => {
                    diffs.extend(object.steps.iter().map(|(index, _)| (*index, out_of_file(refusal))));
                    continue;
                }
            };
            let mut before = editor.text(above.iter().copied());
            for (number, (index, after)) in object.steps.iter().enumerate() {
                let change = Change { position: *position, before: object.before, after };
                let step = match number + 1 == object.steps.len() {
                    true => Ok(edit.clone()),
                    false => editor.edits(&[change]).swap_remove(0),
                };
                let after = step.map(|step| editor.text(above.iter().copied().chain([&step])));
                let diff = match (before, after) {
                    (Some(before), Ok(Some(after))) => {
                        let text = unified_diff(&self.name, &before, &after);
                        (MutationDiff::InFile { text }, Some(after))
                    }
                    (before, Err(refusal)) => (out_of_file(&refusal), before),
                    (before, _) => {
                        (MutationDiff::OutOfFile { reason: "two edits meet in one place".to_owned() }, before)
                    }
                };
                before = diff.1;
                diffs.push((*index, diff.0));
            }
            above.push(edit);
        }
        diffs
    }

    /// Writes the file, if there is something to write and nothing has become of it since it was read.
    fn fix(&self) -> (Option<Fixed>, Vec<Problem>) {
        let editor = Editor::new(self.text);
        let mut problems = Vec::new();
        let mut edits = Vec::new();
        for (position, edit) in self.edits(&editor) {
            let times = &self.objects[&position];
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

fn out_of_file(refusal: &Refusal) -> MutationDiff {
    MutationDiff::OutOfFile { reason: format!("line {}: {}", refusal.line, refusal.reason) }
}
