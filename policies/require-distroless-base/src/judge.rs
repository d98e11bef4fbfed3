//! The verdict on one image, for every platform that a node could run.

use policy_kit::oci::{self, PlatformImage};
use policy_kit::{Host, Platform, Reference, chosen_by, could_run};

use crate::bases::{Bases, Denial, Proof};
use crate::facts::{About, Facts, NoFacts};
use crate::finding::{Findings, Kind};
use crate::scratch::{self, Scratch};
use crate::settings::Settings;
use crate::start::ShellStart;
use crate::text::short;

/// What came of one image.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// What is wrong, to stand behind the image.
    pub(crate) mistakes: Vec<String>,
    /// What is accepted with a reservation.
    pub(crate) reservation: Option<String>,
    /// What it is built on.
    pub(crate) proof: Option<String>,
    /// Whether an approved base that could not be used might have made a difference.
    pub(crate) needs_bases: bool,
}

/// Judges an image for each of its platforms.
pub(crate) fn judge(image: &Reference<'_>, settings: &Settings, bases: &mut Bases<'_>, host: &dyn Host) -> Judgement {
    let mut judgement = Judgement::default();
    let platforms = match oci::platforms(host, image) {
        Ok(platforms) => platforms,
        Err(error) => {
            judgement.mistakes.push(format!("cannot be looked up: {error}"));
            return judgement;
        }
    };
    let wanted =
        chosen_by(&settings.platforms, platforms.iter().collect(), |platform: &&PlatformImage| platform.platform());
    if wanted.is_empty() {
        let found: Vec<String> = platforms.iter().map(|platform| short(platform.platform())).take(6).collect();
        judgement.mistakes.push(for_none(settings, &found.join(", ")));
        return judgement;
    }
    let mut findings = Findings::default();
    let mut no_images = Vec::new();
    let count = wanted.len();
    for platform in wanted {
        match judge_platform(platform, settings, bases, host, &mut findings, &mut judgement) {
            Ok(()) => {}
            Err(NoFacts::NoImage(error)) => no_images.push((platform.platform(), error)),
            Err(NoFacts::Unreadable(error)) => {
                findings.add(Kind::Unreadable, platform.platform(), error, String::new())
            }
        }
    }
    // What stands in an index beside its images, such as what a snapshotter wants to know of them, can be unpacked by nobody.
    if no_images.len() == count {
        for (platform, error) in no_images {
            findings.add(Kind::Unreadable, platform, error, String::new());
        }
    }
    judgement.needs_bases = findings.is_about_bases();
    judgement.mistakes.extend(findings.messages());
    judgement
}

/// Nothing is proven of an image that no node is thought to run.
fn for_none(settings: &Settings, found: &str) -> String {
    let nodes: Vec<String> = settings.platforms.iter().map(Platform::to_string).collect();
    format!("must be built for one of the platforms ({}): it is for {found}", nodes.join(", "))
}

fn judge_platform(
    image: &PlatformImage,
    settings: &Settings,
    bases: &mut Bases<'_>,
    host: &dyn Host,
    findings: &mut Findings,
    judgement: &mut Judgement,
) -> Result<(), NoFacts> {
    let config = image.config(host).map_err(|error| format!("cannot be looked up: {error}"))?;
    let unreadable = |error: String| format!("cannot be judged: {error}");
    let (manifest, config) = config.read_with_manifest().map_err(unreadable)?;
    let facts = Facts::read(&manifest, &config).map_err(|no_facts| match no_facts {
        NoFacts::NoImage(error) => NoFacts::NoImage(unreadable(error)),
        NoFacts::Unreadable(error) => NoFacts::Unreadable(unreadable(error)),
    })?;
    let on = image.platform();
    // Without an index only the configuration says which platform it is.
    if on.is_empty() && !could_run(&settings.platforms, &facts.platform) {
        return Err(for_none(settings, &short(&facts.platform)).into());
    }
    let proof = bases.proof(&facts.diff_ids, if on.is_empty() { &facts.platform } else { on });
    let proven = proof.as_ref().map_or(0, |proof| proof.layers);
    if let Some(denial) = bases.denial(&facts.diff_ids, proven) {
        let (what, fix) = denied(&denial, settings);
        findings.add(Kind::Denied, on, what, fix);
    } else if let Some(proof) = proof {
        contradictions(&facts, &proof, bases, on, findings);
        judgement.proof.get_or_insert(format!("the base is {}", proof.label));
    } else {
        match unproven(&facts, settings, bases) {
            Ok(made_of) => {
                if let Scratch::Packages(tool) = made_of {
                    judgement.reservation.get_or_insert(format!(
                        "has no approved base and is accepted as an image from scratch; what {tool} has put into it is unknown"
                    ));
                }
                judgement.proof.get_or_insert("from scratch by its history".to_owned());
            }
            Err(what) => findings.add(Kind::Unproven, on, what, claim(facts.claimed_base)),
        }
    }
    if facts.is_debug_variant {
        let what = "must not be a debug variant: it has /busybox on its PATH".to_owned();
        findings.add(Kind::Debug, on, what, "; build it FROM the base without a shell".to_owned());
    }
    match &facts.shell_start {
        Some(ShellStart::Shell(program)) => {
            let what = format!("must start without a shell: it starts {program}");
            findings.add(Kind::Start, on, what, "; write ENTRYPOINT as a list that begins with the program".to_owned());
        }
        Some(ShellStart::Script(program)) => {
            let what = format!("must start without a shell: {program}, with which it starts, needs one");
            findings.add(Kind::Start, on, what, "; write ENTRYPOINT as a list that begins with the program".to_owned());
        }
        None => {}
    }
    Ok(())
}

fn denied(denial: &Denial, settings: &Settings) -> (String, String) {
    let fix = format!("; build it FROM an approved base ({})", settings.approved());
    match &denial.layer {
        None => (format!("must not be built on {}, which is denied: it begins with its layers", denial.label), fix),
        Some(layer) if denial.is_open => (
            format!(
                "cannot be judged: it has a layer of {}, which is denied, and an approved base that may have the layer, too, could not be looked up: {layer}",
                denial.label
            ),
            String::new(),
        ),
        Some(layer) => (format!("must not have a layer of {}, which is denied: {layer}", denial.label), fix),
    }
}

/// What contradicts the proof. The whole history is read, not what stands behind the base's part of it: bases that Bazel
/// builds have no history, and then BuildKit writes its own lines first and makes up the missing ones behind them. What the
/// base itself brought is excused: of a base that is looked up, line by line; of pinned layers, by the order of the lines.
fn contradictions(facts: &Facts<'_>, proof: &Proof, bases: &mut Bases<'_>, on: &str, findings: &mut Findings) {
    let is_of_pinned = proof.is_pinned && facts.history_is_in_order();
    let mut own_lines = None;
    for remark in facts.remarks() {
        if is_of_pinned && remark.layers_before < proof.layers {
            continue;
        }
        let own: &mut Vec<String> = own_lines.get_or_insert_with(|| bases.own_lines(&facts.diff_ids));
        if let Some(index) = own.iter().position(|line| line == remark.line.text()) {
            own.swap_remove(index);
            continue;
        }
        let fix = match remark.about {
            // `COPY --from=build /out/ /` is how an app gets into a distroless image. Behind a proven base it is no
            // contradiction; where there is no base, it is all that the image is.
            About::Unknown => continue,
            About::Run => "; run it in an earlier stage and COPY what comes of it",
            About::Shell => "; leave it out",
            About::FileSystem => "; copy only what the app needs",
        };
        let what = format!("must have neither shell nor package manager: {}", remark.clause);
        findings.add(Kind::Shell, on, what, fix.to_owned());
        return;
    }
}

/// Judges an image that begins with no approved base.
fn unproven(facts: &Facts<'_>, settings: &Settings, bases: &Bases<'_>) -> Result<Scratch, String> {
    let approved = settings.approved();
    let none = if bases.is_incomplete() { "none that could be looked up" } else { "none of them" };
    if !settings.allow_scratch {
        return Err(format!("must be built FROM an approved base ({approved}): its first layers are those of {none}"));
    }
    scratch::explain(facts).map_err(|reason| {
        format!("must be built FROM an approved base ({approved}) or scratch: its first layers are those of {none}, and {reason}")
    })
}

/// What the image says of its base; the builder can write anything there.
fn claim(base: &str) -> String {
    match short(base) {
        base if base.is_empty() => base,
        base => format!("; it says that its base is {base}, which proves nothing"),
    }
}
