use super::{Item, Kind, Part, Script, Word};
use crate::budget::{Budget, OF_A_PROCESS};

fn read(text: &str) -> Result<Script, String> {
    super::read(text, &Budget::new(OF_A_PROCESS))
}

/// How many lists of commands run in the background, anywhere.
fn background(script: &Script) -> usize {
    let documents: usize = script.documents.iter().map(|parts| in_parts(parts)).sum();
    documents + in_list(&script.list)
}

fn in_list(list: &[Item]) -> usize {
    let of = |item: &Item| {
        let commands = item.pipelines.iter().flat_map(|pipeline| &pipeline.commands);
        let inside: usize = commands
            .map(|command| {
                let redirects: usize = command.redirects.iter().map(|redirect| in_parts(&redirect.target.parts)).sum();
                redirects + in_kind(&command.kind)
            })
            .sum();
        inside + usize::from(item.is_background)
    };
    list.iter().map(of).sum()
}

fn in_kind(kind: &Kind) -> usize {
    let lists = |lists: &[Vec<Item>]| -> usize { lists.iter().map(|list| in_list(list)).sum() };
    let words = |words: &[Word]| -> usize { words.iter().map(|word| in_parts(&word.parts)).sum() };
    match kind {
        Kind::Simple { assignments, words: its } => words(assignments) + words(its),
        Kind::Group(list) | Kind::Subshell(list) => in_list(list),
        Kind::If { conditions, bodies } => lists(conditions) + lists(bodies),
        Kind::Case { words: its, bodies } => words(its) + lists(bodies),
        Kind::For { words: its, body, .. } => words(its) + in_list(body),
        Kind::While { condition, body, .. } => in_list(condition) + in_list(body),
        Kind::Function { body, .. } | Kind::Coprocess(body) => in_kind(&body.kind),
        Kind::Test(its) => words(its),
    }
}

fn in_parts(parts: &[Part]) -> usize {
    let of = |part: &Part| match part {
        Part::Command(list) | Part::Process(list) => in_list(list),
        Part::Parameter { inside, .. } | Part::Arithmetic(inside) => in_parts(inside),
        Part::Text { .. } | Part::Pattern => 0,
    };
    parts.iter().map(of).sum()
}

#[test]
fn an_ampersand_is_found_wherever_it_starts_something() {
    for text in [
        "a &",
        "a & b",
        "a&b",
        "a\n b &\n",
        "(a &)",
        "{ a & }",
        "{ a & b; }",
        "if a & then b; fi",
        "if a; then b & fi",
        "if a; then b; elif c; then d; else e & fi",
        "while a; do b & done",
        "until a & do b; done",
        "for i in 1 2; do a & done",
        "for i; do a & done",
        "for ((i=0; i<3; i++)); do a & done",
        "for i in 1; { a & }",
        "select i in 1; do a & break; done",
        "case x in x) a & ;; esac",
        "case x in (x|y) b;; *) a & esac",
        "f() { a & }",
        "f() (a &)",
        "function f { a & }",
        "function f() { a & }",
        "echo $(a & b)",
        "echo \"$(a &)\"",
        "echo `a &`",
        "echo \"`a &`\"",
        "echo `echo \\`a &\\``",
        "x=$(a &)",
        "x=(1 $(a &))",
        "x=1 b $(a &)",
        "echo ${x:-$(a &)}",
        "echo \"${x:-$(a &)}\"",
        "echo $(( $(a &) + 1 ))",
        "b > $(a &)",
        "b < <(a &)",
        "b >(a &)",
        "cat <<EOF\n$(a &)\nEOF\n",
        "cat <<-EOF\n\t`a &`\n\tEOF\n",
        "cat <<EOF; a &\ntext\nEOF\n",
        "[[ $(a &) == x ]]",
        "[[ a ]] & b",
        "((a & b))",
        "( (a & b) )",
        "! a &",
        "time -p a &",
        "a | b &",
        "a && b &",
        "a || b &",
        "a >b &",
        "a 2>&1 &",
        "a # b\nc &",
        "a \\\n&",
        "a '' &",
        "a \"'\" & b \"'\"",
        "a '\"' & b '\"'",
        "a \\' & b \\'",
        "a $'x' & b",
        "echo {a,$(b &)}",
        "a;b&",
        "coproc a &",
    ] {
        let script = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(background(&script), 1, "{text}");
    }
}

#[test]
fn an_ampersand_that_starts_nothing_is_none() {
    for text in [
        "a && b",
        "a >b 2>&1",
        "a >&2",
        "a 2>&-",
        "a &>b",
        "a &>>b",
        "a <&3",
        "a |& b",
        "a 'b & c'",
        "a \"b & c\"",
        "a b\\&c",
        "a # b & c",
        "a $'b & c'",
        "a $\"b & c\"",
        "cat <<'EOF'\n$(a &)\nEOF\n",
        "cat <<\\EOF\n`a &`\nEOF\n",
        "cat <<EOF\na & b\nEOF\n",
        "echo $((a & b))",
        "echo \"$((1 & 2))\"",
        "for ((i=0; i & 1; i++)); do a; done",
        "[[ a && b ]]",
        "[[ a =~ ^(b|c)&$ ]]",
        "case x in 'a&') b;; esac",
        "echo ${x:-'a & b'}",
        "x='a & b'",
        "curl http://a/?b=c\\&d=e",
    ] {
        match read(text) {
            Ok(script) => assert_eq!(background(&script), 0, "{text}"),
            // An unquoted `&` in an expression: bash refuses it, too.
            Err(error) => assert!(text.contains("=~"), "{text}: {error}"),
        }
    }
}

#[test]
fn what_is_no_shell_text_is_refused() {
    for text in [
        "'",
        "\"",
        "`",
        "$(",
        "${",
        "${x",
        "(",
        ")",
        "{ a",
        "{ a; ",
        "}",
        "if",
        "if a",
        "if a; then b",
        "fi",
        "then",
        "while a; do b",
        "do",
        "done",
        "for",
        "for i in",
        "for i in a; b",
        "case",
        "case x",
        "case x in x) a",
        "case x in x a;; esac",
        "a |",
        "a &&",
        "| a",
        "&& a",
        "; a",
        "& a",
        "a ;; b",
        "a >",
        "a <<",
        "f(",
        "f() ",
        "a (b)",
        "[[ a",
        "[[ a; b ]]",
        "echo ${ a; }",
        "echo ${|a; }",
        "echo $'a\\' & b'",
        "x=(a",
        "<(",
        "a & && b",
        "! ",
        "esac",
        "in",
        "(((a & 3) == 2))",
        "(((a); b) c)",
        "x=()#y & z",
        "[[ a ]]#b & c",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn what_people_write_is_read() {
    for text in [
        "",
        "\n\n",
        "# nothing",
        ":",
        "set -euo pipefail; exec app \"$@\"",
        "until nc -z db 5432; do sleep 1; done; exec app",
        "if [ -f /x ]; then . /x; fi\nexec java ${JAVA_OPTS:--Xmx1g} -jar app.jar",
        "[ \"$(id -u)\" = 0 ] && chown -R app: /data; exec gosu app \"$@\"",
        "trap 'kill -TERM $PID' TERM INT",
        "for f in /etc/*.d/*.sh; do . \"$f\"; done",
        "while read -r line; do echo \"$line\"; done < /etc/hosts",
        "export A=1 B=\"$2\" C; readonly D='x y'",
        "arr=(a b\n c # comment\n d)\necho ${arr[@]} ${#arr[@]} ${arr[0]}",
        "echo ${x%%.*} ${x##*/} ${x//a/b} ${x^^} ${!x} ${#x} ${x:0:1} $# $? $$ $! $- $0 $_",
        "echo {1..3} {a,b} @(a|b)",
        "cat > /x <<EOF\nserver { listen $PORT; }\nEOF\nexec nginx -g 'daemon off;'",
        "case \"$1\" in\n  start|run) exec app ;;\n  -*) exec app \"$@\" ;;\n  *) exec \"$@\";;\nesac",
        "test -d /a || mkdir /a; cd /a && exec ./app >log 2>&1",
        "awk '{ print $1 }' f",
        "exec 3>&1; exec 2>&1 >/dev/null",
        "[[ $x == a* && ! -f $y ]] || exit 1",
        "[[ \"$x\" =~ ^[0-9]+$ ]] && echo ok",
        "((i++)); (( i < 3 && j > 4 ))",
        "f() { return 0; }; f; g () ( f )",
        "é=1; echo \"日本 $é\"",
    ] {
        if let Err(error) = read(text) {
            panic!("{text}: {error}");
        }
    }
}

#[test]
fn quotes_are_taken_away() {
    for (text, expected) in [
        ("su\"perv\"isord", "supervisord"),
        ("'supervisord'", "supervisord"),
        ("\\supervisord", "supervisord"),
        ("super\\\nvisord", "supervisord"),
        ("$'supervisord'", "supervisord"),
        ("\"a\\\"b\\c\"", "a\"b\\c"),
        ("''", ""),
        ("[", "["),
    ] {
        let script = read(text).expect("a command");
        let Kind::Simple { words, .. } = &script.list[0].pipelines[0].commands[0].kind else { panic!("{text}") };
        let parts = words[0].parts.iter().map(|part| match part {
            Part::Text { text, .. } => text.as_str(),
            _ => "?",
        });
        assert_eq!(parts.collect::<String>(), expected, "{text}");
    }
}
