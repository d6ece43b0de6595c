//! Builds nodes from the parser's events.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, StructureStyle};

use super::bounds::{BYTES_OF_NODE, MAX_ALIASED, MAX_ANCHORED, MAX_NESTING, MOST_ERRORS, too_deep};
use super::diagnostic::Diagnostic;
use super::node::{Node, Style, Tag, Value};
use super::source::{Source, Span};
use super::{merge, scalar, suggest, unquoted};

/// A collection that is not complete yet.
struct Frame {
    start: usize,
    style: Style,
    tag: Option<Tag>,
    anchor: usize,
    /// The deepest nesting inside so far.
    inner: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<(Node, Node)>,
        key: Option<Node>,
    },
}

/// A collection that was still open where the parser stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenCollection {
    /// Its first byte.
    pub(super) start: usize,
    /// Whether it is in brackets.
    pub(super) flow: bool,
    /// Whether it is a list.
    pub(super) sequence: bool,
}

/// A node that an alias can repeat.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

/// Takes events, gives documents.
pub(super) struct DocumentBuilder<'a> {
    source: &'a Arc<Source>,
    frames: Vec<Frame>,
    documents: Vec<Arc<Node>>,
    anchors: HashMap<usize, Anchored>,
    anchor_names: Vec<String>,
    aliased: usize,
    anchored: usize,
    values: usize,
    most_values: usize,
    gave_up: bool,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> DocumentBuilder<'a> {
    pub(super) fn new(source: &'a Arc<Source>, most_values: usize) -> Self {
        Self {
            source,
            frames: Vec::new(),
            documents: Vec::new(),
            anchors: HashMap::new(),
            anchor_names: Vec::new(),
            aliased: 0,
            anchored: 0,
            values: 0,
            most_values,
            gave_up: false,
            diagnostics: Vec::new(),
        }
    }

    /// Whether it is useless to go on.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up || self.diagnostics.len() >= MOST_ERRORS
    }

    /// The collections that are not complete, outermost first.
    pub(super) fn open(&self) -> Vec<OpenCollection> {
        self.frames
            .iter()
            .map(|frame| OpenCollection {
                start: frame.start,
                flow: frame.style == Style::Flow,
                sequence: matches!(frame.content, Content::Sequence(_)),
            })
            .collect()
    }

    /// The error at which the parser stopped, unless what was found before on its line explains it.
    pub(super) fn syntax_error(&mut self, error: Diagnostic) {
        let line = |diagnostic: &Diagnostic| {
            let label = diagnostic.labels.first();
            label.map(|label| label.span.position().0)
        };
        if !self
            .diagnostics
            .iter()
            .any(|known| line(known) == line(&error))
        {
            self.diagnostics.push(error);
        }
    }

    /// The documents, or all that is wrong.
    pub(super) fn finish(self) -> Result<Vec<Arc<Node>>, Vec<Diagnostic>> {
        if self.diagnostics.is_empty() {
            Ok(self.documents)
        } else {
            Err(self.diagnostics)
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, at: granit_parser::Span) {
        let range = at.byte_range().unwrap_or_default();
        let written = event.tag().cloned();
        let tag = written.as_ref().and_then(|tag| {
            let tagged = at.tag_span().and_then(|span| span.byte_range());
            let tagged = tagged.unwrap_or(range.start..range.start);
            self.tag(tag, &self.span(tagged.start, tagged.end))
        });
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let core = written.as_ref().and_then(|tag| tag.core_suffix());
                let span = self.span(range.start, range.end);
                let node = self.scalar(&text, style, core, tag, span);
                self.place(node, anchor, 0);
            }
            Event::SequenceStart(style, anchor, _) => {
                let content = Content::Sequence(Vec::new());
                self.start(range.start, style, anchor, tag, content);
            }
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    key: None,
                };
                self.start(range.start, style, anchor, tag, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range.end),
            Event::Alias(anchor) => self.alias(anchor, range.start, range.end),
            Event::UnresolvedAlias(name) => {
                let span = self.span(range.start, range.end);
                self.unknown_alias(&name, &span);
                self.place(Node::new(span, Value::Null), 0, 0);
            }
            Event::Anchor(_, name) => self.anchor_names.push(name.into_owned()),
            Event::DocumentEnd => {
                self.anchors.clear();
                self.anchor_names.clear();
            }
            _ => {}
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        // Block collections and scalars end where the next token begins: leave out what is between.
        let written = &self.source.text()[start..end.max(start)];
        Span::new(self.source, start, start + written.trim_end().len())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        core: Option<&str>,
        tag: Option<Tag>,
        span: Span,
    ) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let string = || Value::String(text.to_owned());
        let value = match (core, &tag) {
            // `!` alone means: not to be resolved.
            (Some("str"), _) | (_, Some(Tag::Vault)) | (None, Some(Tag::Other(_))) => string(),
            (Some("null"), _) => Value::Null,
            (Some("int" | "float"), _) => self.tagged_number(text, core == Some("float"), &span),
            (Some("bool"), _) => scalar::resolve(text),
            _ if style == Style::Plain => scalar::resolve(text),
            _ => string(),
        };
        Node {
            span,
            tag,
            style,
            value,
        }
    }

    fn tagged_number(&mut self, text: &str, float: bool, span: &Span) -> Value {
        match scalar::number(text) {
            #[expect(clippy::cast_precision_loss, reason = "what `!!float` asks for")]
            Some(Value::Int(whole)) if float => Value::Float(whole as f64),
            Some(number @ Value::Float(_)) if float => number,
            Some(number @ Value::Int(_)) if !float => number,
            _ => {
                let what = if float { "number" } else { "whole number" };
                self.diagnostics.push(
                    Diagnostic::error(span, format!("`{text}` is tagged as a {what} and is none"))
                        .help("remove the tag, or write a number"),
                );
                Value::Null
            }
        }
    }

    /// The tag to keep. Those that mean nothing here are errors, as in Ansible.
    fn tag(&mut self, tag: &granit_parser::Tag, span: &Span) -> Option<Tag> {
        match (tag.handle(), tag.suffix()) {
            ("!", "vault" | "vault-encrypted") => Some(Tag::Vault),
            ("!", "unsafe") => Some(Tag::Unsafe),
            ("" | "!", "" | "!") => Some(Tag::Other("!".to_owned())),
            _ if tag.is_yaml_core_schema() => Some(Tag::Other(tag.original())),
            _ => {
                let name = tag.original();
                let nearest = suggest::did_you_mean(&name, ["!vault", "!unsafe"]);
                self.diagnostics.push(
                    Diagnostic::error(span, format!("the tag `{name}` is not known"))
                        .note("an unquoted value that begins with `!` begins with a tag")
                        .help(nearest.unwrap_or_else(|| {
                            format!("if text is meant, quote all of it: \"{name} …\"")
                        })),
                );
                None
            }
        }
    }

    fn start(
        &mut self,
        start: usize,
        style: StructureStyle,
        anchor: usize,
        tag: Option<Tag>,
        content: Content,
    ) {
        let style = match style {
            StructureStyle::Block => Style::Block,
            StructureStyle::Flow => Style::Flow,
        };
        if style == Style::Block {
            self.refuse_tab(start);
        }
        self.frames.push(Frame {
            start,
            style,
            tag,
            anchor,
            inner: 0,
            content,
        });
    }

    /// The parser takes a tab before the first key of a document; other tabs it refuses itself.
    fn refuse_tab(&mut self, start: usize) {
        let text = self.source.text();
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let before = &text[line_start..start];
        if before.contains('\t') && before.trim().is_empty() {
            let span = Span::new(self.source, line_start, start);
            self.diagnostics.push(super::syntax::tab(&span));
        }
    }

    fn end(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let span = self.span(frame.start, end);
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, .. } => {
                Value::Mapping(merge::mapping(entries, &mut self.diagnostics))
            }
        };
        let mut node = Node {
            span,
            tag: frame.tag,
            style: frame.style,
            value,
        };
        if node.tag == Some(Tag::Unsafe) {
            make_unsafe(&mut node);
        }
        self.place(node, frame.anchor, frame.inner + 1);
    }

    /// Puts a complete node, `depth` collections deep, where it belongs.
    fn place(&mut self, node: Node, anchor: usize, depth: usize) {
        self.values += 1;
        if self.values > self.most_values {
            self.diagnostics.push(
                Diagnostic::error(
                    &node.span,
                    format!("a text with more than {} values in it", self.most_values),
                )
                .help("this is probably not the file that you meant; otherwise divide it"),
            );
            self.gave_up = true;
            return;
        }
        if anchor != 0 {
            let nodes = count(&node);
            self.anchored += nodes;
            if self.anchored > MAX_ANCHORED {
                self.too_many_anchored(&node.span);
            } else {
                let node = node.clone();
                (self.anchors).insert(anchor, Anchored { node, nodes, depth });
            }
        }
        let Some(frame) = self.frames.last_mut() else {
            self.documents.push(Arc::new(node));
            return;
        };
        frame.inner = frame.inner.max(depth);
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key } => match key.take() {
                Some(key) => entries.push((key, node)),
                None if matches!(node.value, Value::Sequence(_) | Value::Mapping(_)) => {
                    let (start, style) = (frame.start, frame.style);
                    *key = Some(Node::new(node.span.clone(), Value::Null));
                    self.collection_as_key(&node, start, style);
                }
                None => *key = Some(node),
            },
        }
    }

    fn collection_as_key(&mut self, key: &Node, start: usize, style: Style) {
        let text = self.source.text();
        let diagnostic = if style == Style::Flow && unquoted::begins_at(text, start) {
            unquoted::diagnostic(self.source, start)
        } else if key.style == Style::Flow && unquoted::begins_at(text, key.span.start) {
            // `{{ x }}: 1`: the inner braces said so already.
            return;
        } else {
            Diagnostic::error(&key.span, format!("a key cannot be {}", key.kind()))
                .help("use a string, a number or a boolean as the key")
        };
        self.diagnostics.push(diagnostic);
    }

    fn alias(&mut self, anchor: usize, start: usize, end: usize) {
        let span = self.span(start, end);
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.diagnostics.push(
                Diagnostic::error(&span, "this alias is inside the value that it repeats")
                    .help("an alias can only repeat a value that is complete before it"),
            );
            self.place(Node::new(span, Value::Null), 0, 0);
            return;
        };
        let mut node = anchored.node.clone();
        let (nodes, depth) = (anchored.nodes, anchored.depth);
        node.span = span.clone();
        self.aliased += nodes;
        if self.aliased > MAX_ALIASED {
            self.diagnostics.push(
                Diagnostic::error(
                    &span,
                    format!("aliases make this document more than {MAX_ALIASED} values longer"),
                )
                .note("a few lines of aliases of aliases can fill any memory, so there is a limit")
                .help("write less with aliases"),
            );
            self.gave_up = true;
        } else if self.frames.len() + depth > 2 * MAX_NESTING {
            self.diagnostics.push(too_deep(&span));
            self.gave_up = true;
        } else {
            self.place(node, 0, depth);
        }
    }

    fn too_many_anchored(&mut self, span: &Span) {
        self.diagnostics.push(
            Diagnostic::error(
                span,
                format!("more than {MAX_ANCHORED} values are marked for aliases"),
            )
            .note("a value that is marked with `&` is kept; one in another that is marked, twice")
            .help("mark smaller values, and none around others that are marked"),
        );
        self.gave_up = true;
    }

    fn unknown_alias(&mut self, name: &str, span: &Span) {
        let names = self.anchor_names.iter().map(String::as_str);
        let help = suggest::suggest(name, names).map_or_else(
            || format!("if text is meant, quote it: \"*{name}\""),
            |nearest| format!("did you mean `*{nearest}`?"),
        );
        self.diagnostics.push(
            Diagnostic::error(span, format!("no value before this is marked `&{name}`"))
                .note("an unquoted value that begins with `*` repeats one that is marked with `&`")
                .help(help),
        );
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::String(text) => text.len() / BYTES_OF_NODE,
        Value::Sequence(items) => items.iter().map(count).sum(),
        Value::Mapping(mapping) => (mapping.iter())
            .map(|(key, value)| count(key) + count(value))
            .sum(),
        _ => 0,
    }
}

/// `!unsafe` before a collection is meant for all in it.
fn make_unsafe(node: &mut Node) {
    node.tag = Some(Tag::Unsafe);
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(make_unsafe),
        Value::Mapping(mapping) => mapping
            .entries
            .iter_mut()
            .for_each(|(_, value)| make_unsafe(value)),
        _ => {}
    }
}
