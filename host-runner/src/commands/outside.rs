//! What is beyond the machine, as the flags of several commands describe it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::capabilities::{Recorder, Replayed, Session, Source};
#[cfg(feature = "live")]
use crate::live::{LiveOptions, Network, Online};
use crate::manifest::Problem;
#[cfg(feature = "live")]
use crate::modules::Fetch;
use crate::modules::{Modules, Store};
use crate::world::{Offline, World};

/// Who answers what policies ask, and where their modules come from.
#[derive(Debug, Clone, Default)]
pub struct OutsideOptions {
    /// World files, folders of manifests, OCI image layouts.
    pub worlds: Vec<PathBuf>,
    /// Whether nothing beyond the world is asked.
    pub offline: bool,
    /// Where pulled modules are kept, as kwctl keeps them; nowhere without it.
    pub store: Option<PathBuf>,
    /// A session of kwctl's to answer from.
    pub replay: Option<PathBuf>,
    /// Where to write down what is asked and answered.
    pub record: Option<PathBuf>,
    /// How the outside is reached.
    #[cfg(feature = "live")]
    pub live: LiveOptions,
}

impl OutsideOptions {
    /// Where pulled modules are kept.
    pub(super) fn store(&self) -> Option<Store> {
        self.store.clone().map(Store::at)
    }
}

/// What is beyond the machine; nothing, when offline.
pub(super) struct Outside<'o> {
    options: &'o OutsideOptions,
    #[cfg(feature = "live")]
    network: Option<Arc<Network>>,
}

impl<'o> Outside<'o> {
    /// Reads the files that say how the network is reached. Nothing is connected to.
    #[cfg_attr(not(feature = "live"), expect(clippy::unnecessary_wraps, reason = "only the network has files to read"))]
    pub(super) fn prepare(options: &'o OutsideOptions) -> Result<Self, Problem> {
        #[cfg(feature = "live")]
        let network = if options.offline { None } else { Some(Arc::new(Network::new(&options.live)?)) };
        Ok(Outside {
            options,
            #[cfg(feature = "live")]
            network,
        })
    }

    /// The network, to pull from and to ask about signatures.
    #[cfg(feature = "live")]
    pub(super) fn network(&self) -> Option<&Arc<Network>> {
        self.network.as_ref()
    }

    /// Where modules come from.
    pub(super) fn modules(&self) -> Modules {
        #[cfg(feature = "live")]
        let network = self.network.clone().map(|network| network as Arc<dyn Fetch>);
        #[cfg(not(feature = "live"))]
        let network = None;
        Modules { store: self.options.store(), network }
    }

    /// Who answers what policies ask: a recorded session, or the world and what is beyond it.
    pub(super) fn source(&self, world: &Arc<World>) -> Result<Listened, Problem> {
        let source = self.answering(world)?;
        let recorder = self.options.record.as_ref().map(|path| (Recorder::new(source.clone()), path.clone()));
        let source = recorder.as_ref().map_or(source, |(recorder, _)| Arc::new(recorder.clone()));
        Ok(Listened { source, recorder })
    }

    fn answering(&self, world: &Arc<World>) -> Result<Arc<dyn Source>, Problem> {
        if let Some(path) = &self.options.replay {
            // A recording says what the outside was; asking it anew would mix two times.
            return Ok(Arc::new(Replayed { session: Session::read(path)?, otherwise: Offline(world.clone()) }));
        }
        #[cfg(feature = "live")]
        if let Some(network) = &self.network {
            return Ok(Arc::new(Online::new(world.clone(), network.clone())));
        }
        Ok(Arc::new(Offline(world.clone())))
    }
}

/// A source, and who writes down what it answers.
pub(super) struct Listened {
    pub(super) source: Arc<dyn Source>,
    recorder: Option<(Recorder, PathBuf)>,
}

impl Listened {
    /// Writes the recording, if there is to be one.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.recorder {
            Some((recorder, path)) => recorder.write(&path),
            None => Ok(()),
        }
    }
}
