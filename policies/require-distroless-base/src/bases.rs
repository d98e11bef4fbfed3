//! The layers of approved and denied bases, looked up as late and as seldom as possible: a registry answers in
//! milliseconds at best, an admission waits for each answer, and a base has up to a dozen platforms.

use policy_kit::oci::{self, PlatformImage};
use policy_kit::{Host, Platform, Reference, could_run};

use crate::facts::{About, Facts, NoFacts, is_empty_layer};
use crate::settings::{Base, Settings};
use crate::start::ShellStart;

/// All bases of the settings, for one request.
pub(crate) struct Bases<'s> {
    host: &'s dyn Host,
    nodes: &'s [Platform],
    approved: Vec<Known<'s>>,
    denied: Vec<Known<'s>>,
}

/// An approved base that an image begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The base, for messages.
    pub(crate) label: String,
    /// How many of the image's layers are the base's.
    pub(crate) layers: usize,
    /// Whether the layers are pinned, so that nothing is known of the base but them.
    pub(crate) is_pinned: bool,
}

/// A denied base that an image has something of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// The base, for messages.
    pub(crate) label: String,
    /// The layer that is the denied base's, or none if the image begins with all of it.
    pub(crate) layer: Option<String>,
    /// Whether an approved base may have the layer as well, but could not be looked up.
    pub(crate) is_open: bool,
}

impl<'s> Bases<'s> {
    pub(crate) fn new(host: &'s dyn Host, settings: &'s Settings) -> Self {
        let known = |key: &'static str, bases: &'s [Base]| {
            let numbered = bases.iter().enumerate();
            numbered.map(|(index, base)| Known::new(format!("{key}[{index}]"), base)).collect()
        };
        Bases {
            host,
            nodes: &settings.platforms,
            approved: known("approvedBases", &settings.approved_bases),
            denied: known("deniedBases", &settings.denied_bases),
        }
    }

    /// The approved base that these layers begin with. Layers that are pinned are compared first, then the bases for the
    /// image's own platform, then all others: `FROM --platform=$BUILDPLATFORM` takes the base for another one.
    pub(crate) fn proof(&mut self, layers: &[&str], platform: &str) -> Option<Proof> {
        let platform = Platform::read(platform);
        let pinned = self.approved.iter().filter(|known| known.base.image.is_none());
        let pinned = pinned
            .filter(|known| is_prefix(&known.base.diff_ids, layers))
            .max_by_key(|known| known.base.diff_ids.len());
        if let Some(known) = pinned {
            return Some(known.proof(known.base.diff_ids.len()));
        }
        for only_same in [true, false] {
            for known in self.approved.iter_mut().filter(|known| known.base.image.is_some()) {
                known.list(self.host, self.nodes, true);
                for index in 0..known.variants.len() {
                    let is_wanted =
                        !only_same || known.variants.get(index).is_some_and(|variant| variant.is_for(&platform));
                    let chain = if is_wanted { known.chain(index, self.host, true) } else { None };
                    if let Some(length) =
                        chain.filter(|chain| is_prefix(&chain.diff_ids, layers)).map(|chain| chain.diff_ids.len())
                    {
                        return Some(known.proof(length));
                    }
                }
            }
        }
        None
    }

    /// What these layers have of a denied base: all of it in the beginning, or a layer anywhere that no approved base
    /// has. The first `proven` layers are an approved base's.
    pub(crate) fn denial(&mut self, layers: &[&str], proven: usize) -> Option<Denial> {
        for known in &mut self.denied {
            known.resolve(self.host, self.nodes, false);
        }
        for known in &self.denied {
            if known.chains().any(|chain| is_prefix(chain, layers)) {
                return Some(Denial { label: known.label(), layer: None, is_open: false });
            }
        }
        for layer in layers.iter().skip(proven).filter(|layer| !is_empty_layer(layer)) {
            let has_layer = |chain: &[String]| chain.iter().any(|id| id == layer);
            let Some(label) = self.denied.iter().find(|known| known.chains().any(has_layer)).map(Known::label) else {
                continue;
            };
            let is_shared = self.approved.iter_mut().any(|known| {
                known.resolve(self.host, self.nodes, true);
                known.chains().any(has_layer)
            });
            if !is_shared {
                return Some(Denial { label, layer: Some((*layer).to_owned()), is_open: self.is_incomplete() });
            }
        }
        None
    }

    /// The remarkable lines in the history of an approved base that these layers begin with: whoever approved the base
    /// approved what was put into it, as often as it was. Bases that build on each other have the lines in common.
    pub(crate) fn own_lines(&mut self, layers: &[&str]) -> Vec<String> {
        for known in self.approved.iter_mut().filter(|known| known.base.image.is_some()) {
            known.resolve(self.host, self.nodes, true);
        }
        let chains =
            self.approved.iter().flat_map(|known| &known.variants).filter_map(|variant| variant.chain.as_ref());
        let own = chains.filter(|chain| is_prefix(&chain.diff_ids, layers)).max_by_key(|chain| chain.own_lines.len());
        own.map(|chain| chain.own_lines.clone()).unwrap_or_default()
    }

    /// Whether an approved base could not be used. What it might have proven is open.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.approved.iter().any(|known| known.problem.is_some())
    }

    /// What went wrong with the approved bases.
    pub(crate) fn approved_problems(&self) -> impl Iterator<Item = String> {
        self.approved.iter().filter_map(Known::problem_message)
    }

    /// What went wrong with the denied bases.
    pub(crate) fn denied_problems(&self) -> impl Iterator<Item = String> {
        self.denied.iter().filter_map(Known::problem_message)
    }
}

fn is_prefix(chain: &[String], layers: &[&str]) -> bool {
    // A base without layers would be the beginning of everything.
    !chain.is_empty() && chain.len() <= layers.len() && chain.iter().zip(layers).all(|(id, layer)| id == layer)
}

/// A base and what is known of it so far.
struct Known<'s> {
    /// `approvedBases[0]`
    place: String,
    base: &'s Base,
    is_listed: bool,
    variants: Vec<Variant>,
    problem: Option<String>,
}

/// A base on one platform.
struct Variant {
    image: PlatformImage,
    is_looked_up: bool,
    chain: Option<Chain>,
}

struct Chain {
    diff_ids: Vec<String>,
    /// The lines of its history that put a whole file system in.
    own_lines: Vec<String>,
}

impl<'s> Known<'s> {
    fn new(place: String, base: &'s Base) -> Self {
        Known { place, base, is_listed: false, variants: Vec::new(), problem: None }
    }

    fn label(&self) -> String {
        format!("{} ({})", self.base.label(), self.place)
    }

    fn proof(&self, layers: usize) -> Proof {
        Proof { label: self.label(), layers, is_pinned: self.base.image.is_none() }
    }

    fn problem_message(&self) -> Option<String> {
        self.problem.as_ref().map(|problem| format!("{}: {} {problem}", self.place, self.base.label()))
    }

    fn note(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// The chains that are known, pinned or looked up.
    fn chains(&self) -> impl Iterator<Item = &[String]> {
        let pinned = (!self.base.diff_ids.is_empty()).then_some(self.base.diff_ids.as_slice());
        let looked_up = self.variants.iter().filter_map(|variant| variant.chain.as_ref());
        pinned.into_iter().chain(looked_up.map(|chain| chain.diff_ids.as_slice()))
    }

    /// Finds out which platforms the base has that a node could run.
    fn list(&mut self, host: &dyn Host, nodes: &[Platform], is_approved: bool) {
        let Some(image) = self.base.image.as_deref().filter(|_| !self.is_listed) else { return };
        self.is_listed = true;
        let reference = Reference::parse(image).map_err(|error| error.to_string());
        match reference.and_then(|reference| oci::platforms(host, &reference)) {
            Ok(images) => {
                let wanted = images.into_iter().filter(|image| could_run(nodes, image.platform()));
                self.variants = wanted.map(|image| Variant { image, is_looked_up: false, chain: None }).collect();
                if self.variants.is_empty() && is_approved {
                    self.note("has none of the platforms".to_owned());
                }
            }
            Err(error) => self.note(format!("cannot be looked up: {error}")),
        }
    }

    /// Looks up all that is still to be looked up.
    fn resolve(&mut self, host: &dyn Host, nodes: &[Platform], is_approved: bool) {
        self.list(host, nodes, is_approved);
        for index in 0..self.variants.len() {
            self.chain(index, host, is_approved);
        }
    }

    /// The layers of one variant.
    fn chain(&mut self, index: usize, host: &dyn Host, is_approved: bool) -> Option<&Chain> {
        let variant = self.variants.get_mut(index)?;
        let is_first = !std::mem::replace(&mut variant.is_looked_up, true);
        if is_first {
            match look_up(&variant.image, host, is_approved) {
                Ok(chain) => variant.chain = Some(chain),
                Err(problem) => self.note(problem),
            }
        }
        self.variants.get(index)?.chain.as_ref()
    }
}

impl Variant {
    fn is_for(&self, platform: &Option<Platform>) -> bool {
        let own = Platform::read(self.image.platform());
        own.is_none_or(|own| platform.as_ref().is_some_and(|platform| own.is_kin(platform)))
    }
}

fn look_up(image: &PlatformImage, host: &dyn Host, is_approved: bool) -> Result<Chain, String> {
    let failed = |error: String| format!("cannot be looked up: {error}");
    let config = image.config(host).map_err(failed)?;
    let (manifest, config) = config.read_with_manifest().map_err(failed)?;
    let facts = Facts::read(&manifest, &config).map_err(NoFacts::into_text).map_err(failed)?;
    if facts.diff_ids.iter().all(|id| is_empty_layer(id)) {
        return Err("is the empty layer alone, with which any image may begin".to_owned());
    }
    if is_approved && let Some(shell) = shell_in(&facts) {
        return Err(format!("{shell}, so it is not distroless: pin its diffIds if you approve of it nevertheless"));
    }
    Ok(Chain {
        own_lines: facts.remarks().map(|remark| remark.line.text().to_owned()).collect(),
        diff_ids: facts.diff_ids.iter().map(|id| (*id).to_owned()).collect(),
    })
}

/// What shows a shell in a base. Whoever approves `alpine` or `python` by mistake would otherwise approve everything built on
/// it. Pinned layers are taken as meant.
fn shell_in(facts: &Facts<'_>) -> Option<String> {
    match &facts.shell_start {
        Some(ShellStart::Shell(program) | ShellStart::Script(program)) => return Some(format!("starts {program}")),
        None if facts.is_debug_variant => return Some("is a debug variant with /busybox".to_owned()),
        None => {}
    }
    let remark = facts.remarks().find(|remark| matches!(remark.about, About::Run | About::Shell))?;
    Some(format!("has a shell or a package manager, as {}", remark.clause))
}
