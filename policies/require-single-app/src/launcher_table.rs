//! The launchers that are known, and their options.

/// How the arguments of a launcher are read.
pub(crate) struct Launcher {
    pub(crate) names: &'static [&'static str],
    /// Letters of the options that take a value.
    pub(crate) short: &'static str,
    /// Long options that take a value as the next argument.
    pub(crate) long: &'static [&'static str],
    /// How many arguments stand before the command.
    pub(crate) before: usize,
    /// Whether `NAME=value` may stand before the command.
    pub(crate) assigns: bool,
}

/// A launcher of the usual sort.
pub(crate) const fn launcher(
    names: &'static [&'static str],
    short: &'static str,
    long: &'static [&'static str],
) -> Launcher {
    Launcher { names, short, long, before: 0, assigns: false }
}

/// Programs that run the first of their arguments that is theirs no more.
pub(crate) const LAUNCHERS: &[Launcher] = &[
    launcher(
        &["tini", "tini-static", "docker-init", "tini-static-amd64", "tini-static-arm64", "tini-amd64"],
        "pe",
        &[],
    ),
    launcher(&["dumb-init"], "r", &["--rewrite"]),
    launcher(
        &[
            "catatonit",
            "with-contenv",
            "busybox",
            "busybox.static",
            "busybox-static",
            "toybox",
            "catchsegv",
            "ddtrace-run",
            "aws-env",
            "ssm-env",
        ],
        "",
        &[],
    ),
    launcher(&["opentelemetry-instrument", "vault-env", "pidunlimited"], "", &[]),
    launcher(&["time"], "fo", &["--format", "--output"]),
    Launcher { assigns: true, ..launcher(&["env"], "uC", &["--unset", "--chdir"]) },
    launcher(&["nice"], "n", &["--adjustment"]),
    launcher(&["ionice"], "cn", &["--class", "--classdata"]),
    Launcher {
        before: 1,
        ..launcher(&["taskset", "chrt"], "TPD", &["--sched-runtime", "--sched-period", "--sched-deadline"])
    },
    launcher(&["numactl"], "iNCpPm", &["--interleave", "--membind", "--cpunodebind", "--physcpubind", "--preferred"]),
    Launcher {
        before: 1,
        ..launcher(&["gosu", "su-exec", "s6-setuidgid", "setuidgid", "s6-envdir", "envdir"], "", &[])
    },
    launcher(&["chpst"], "uUbedmoprtcfn/", &[]),
    launcher(
        &["setpriv"],
        "",
        &[
            "--reuid",
            "--regid",
            "--ruid",
            "--rgid",
            "--euid",
            "--egid",
            "--groups",
            "--inh-caps",
            "--ambient-caps",
            "--bounding-set",
            "--securebits",
            "--pdeathsig",
            "--selinux-label",
            "--apparmor-profile",
        ],
    ),
    Launcher { before: 1, ..launcher(&["chroot"], "", &["--userspec", "--groups"]) },
    launcher(&["stdbuf"], "ioe", &["--input", "--output", "--error"]),
    launcher(&["prlimit"], "", &[]),
    Launcher { before: 1, ..launcher(&["setarch"], "", &[]) },
    launcher(&["unshare", "linux32", "linux64"], "SG", &["--setuid", "--setgid"]),
    Launcher { before: 1, ..launcher(&["timeout"], "ks", &["--kill-after", "--signal"]) },
    Launcher {
        assigns: true,
        ..launcher(
            &["sudo", "doas"],
            "ugCDRThpUrtc",
            &["--user", "--group", "--close-from", "--chdir", "--host", "--prompt", "--role", "--type"],
        )
    },
    launcher(&["dotenv"], "efpcv", &["--file", "--quote"]),
    launcher(
        &["dockerize"],
        "",
        &["-wait", "-timeout", "-template", "-stdout", "-stderr", "-wait-retry-interval", "-delims", "-env"],
    ),
    launcher(&["envconsul", "summon"], "cfpeD", &["-config", "-prefix", "-secret", "-consul-addr", "-vault-addr"]),
];

/// Programs whose command stands behind `--` and nowhere else.
pub(crate) const WITH_DASHES: &[&str] = &[
    "argoexec",
    "aws-vault",
    "berglas",
    "bws",
    "chamber",
    "consul-template",
    "doppler",
    "infisical",
    "op",
    "phase",
    "secretspec",
    "teller",
];

/// Programs that find what they run in a place of their own: the next argument, behind words that belong to them.
pub(crate) const WITH_WORDS: &[(&str, &[&str])] = &[
    ("bundle", &["exec"]),
    ("bundler", &["exec"]),
    ("hatch", &["run"]),
    ("newrelic-admin", &["run-program", "run-python"]),
    ("pdm", &["run"]),
    ("pipenv", &["run"]),
    ("poetry", &["run"]),
    ("rye", &["run"]),
    ("uv", &["run"]),
];
