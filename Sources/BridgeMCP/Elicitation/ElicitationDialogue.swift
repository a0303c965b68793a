package import BridgeCore

/// One question to a person, put line by line: the person's lines go in, what is to be shown comes out, and an answer in
/// the end.
///
/// Pure: it knows no terminal. Foreign text comes out printable, and behind marks of its own.
package struct ElicitationDialogue: Sendable {
    package enum Step: Sendable, Hashable {
        /// Show the lines, then the prompt, and wait for a line.
        case ask(lines: [String], prompt: String)
        case answer(ElicitationAnswer)
    }

    private enum Content {
        case form(ElicitationForm)
        case page(ElicitationPage)
    }

    private enum State: Hashable {
        /// Waits for the value of this field.
        case field(Int)
        /// All is filled in; waits for the word to send it, or for consent.
        case consent
        case over
    }

    private let content: Content
    private let asker: String
    private let message: String
    private var state = State.consent
    /// By position; what was left out is nil.
    private var values: [JSONText?] = []

    /// - Parameters:
    ///   - params: of `elicitation/create`.
    ///   - asker: who asks, in words of ours.
    package init(_ params: JSONText, from asker: String) throws(ElicitationProblem) {
        self.asker = PrintableText.line(asker)
        self.message = params.string("message") ?? ""
        switch params.string("mode") ?? "form" {
        case "form":
            guard let schema = params.value("requestedSchema") else { throw .noSchema }
            self.content = .form(try ElicitationForm(schema))
        case "url":
            guard let url = params.string("url") else { throw .noURL }
            guard let page = ElicitationPage(url) else { throw .badURL }
            self.content = .page(page)
        case let mode: throw .unknownMode(PrintableText.line(mode, limit: 40))
        }
    }

    /// The first thing to be shown.
    package mutating func begin() -> Step {
        var lines = ["", "\(self.asker) asks:"] + PrintableText.lines(self.message).map { "  | \($0)" }
        switch self.content {
        case .page(let page):
            lines += ["", "  It wants you to open this page in a browser, yourself:", "", "    \(page.address)", ""]
            lines.append("  Host: \(page.host)")
            lines += page.warnings.map { "  Careful: \($0)" }
            return self.ask(.consent, lines)
        case .form(let form):
            if !form.unknown.isEmpty {
                let names = form.unknown.map { PrintableText.line($0, limit: 60) }.joined(separator: ", ")
                lines.append("  (left out, for no form can ask for it: \(names))")
            }
            guard !form.fields.isEmpty else { return self.ask(.consent, lines) }
            lines.append(
                "  (Enter takes what is in brackets, or leaves out what is optional; /decline refuses, Ctrl-D cancels.)"
            )
            return self.start(form, lines)
        }
    }

    /// The person has written a line.
    package mutating func line(_ line: String) -> Step {
        switch Self.command(line) {
        case "/decline": return self.end(.decline)
        case "/cancel": return self.end(.cancel)
        default: break
        }
        switch (self.state, self.content) {
        case (.field(let index), .form(let form)): return self.filled(index, with: line, form)
        case (.consent, .form(let form)): return self.consented(line, form)
        case (.consent, .page): return self.consented(line)
        case (.over, _), (.field, .page): return self.end(.cancel)
        }
    }

    /// The person has closed the terminal's input, or the question is taken back.
    package mutating func closed() -> Step { self.end(.cancel) }
}

// What follows on a line.
extension ElicitationDialogue {
    private mutating func start(_ form: ElicitationForm, _ lines: [String]) -> Step {
        self.values = []
        return self.ask(.field(0), lines)
    }

    private mutating func filled(_ index: Int, with line: String, _ form: ElicitationForm) -> Step {
        let field = form.fields[index]
        do throws(ElicitationField.Complaint) {
            self.values.append(try Self.value(of: line, for: field))
        } catch {
            return .ask(lines: ["     \(PrintableText.line("\(error)"))"], prompt: "     \(field.prompt)")
        }
        if index + 1 < form.fields.count { return self.ask(.field(index + 1), []) }
        return self.ask(.consent, self.review(form))
    }

    /// - Returns: `nil` for what is left out.
    private static func value(of line: String, for field: ElicitationField) throws(ElicitationField.Complaint)
        -> JSONText?
    {
        guard line.allSatisfy(\.isWhitespace) else { return try field.value(of: line) }
        if let standard = field.standard { return standard }
        guard field.isRequired else { return nil }
        let empty = if case .text = field.kind { #" ("" is an empty text)"# } else { "" }
        throw ElicitationField.Complaint("This one has to be filled in\(empty); /decline refuses the whole question.")
    }

    private func review(_ form: ElicitationForm) -> [String] {
        let rows = zip(form.fields, self.values).map { field, value in
            let shown = value.map { PrintableText.line(field.shown($0)) } ?? "(left out)"
            return "  \(PrintableText.line(field.label)): \(shown)"
        }
        return ["", "This would be sent to \(self.asker):"] + rows
    }

    /// Of a form: an empty line sends what was filled in. One without fields asks for nothing but consent, which has to be
    /// given in so many letters.
    private mutating func consented(_ line: String, _ form: ElicitationForm) -> Step {
        switch Self.command(line) {
        case "y", "yes": return self.end(.accept(self.filledIn(form)))
        case "" where !form.fields.isEmpty: return self.end(.accept(self.filledIn(form)))
        case "n", "no": return self.end(.decline)
        case "a", "again": return form.fields.isEmpty ? self.ask(.consent, []) : self.start(form, [""])
        default: return self.ask(.consent, [])
        }
    }

    private mutating func consented(_ line: String) -> Step {
        switch Self.command(line) {
        case "y", "yes": self.end(.accept(nil))
        case "n", "no": self.end(.decline)
        default: self.ask(.consent, [])
        }
    }

    private func filledIn(_ form: ElicitationForm) -> JSONText {
        JSONWriter.object { content in
            for (field, value) in zip(form.fields, self.values) { content.member(field.name, ifPresent: value) }
        }
    }

    private static func command(_ line: String) -> String {
        line.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    }

    private mutating func ask(_ state: State, _ lines: [String]) -> Step {
        self.state = state
        switch (state, self.content) {
        case (.field(let index), .form(let form)):
            let field = form.fields[index]
            let shown = lines + [""] + field.lines(position: index + 1, of: form.fields.count)
            return .ask(lines: shown, prompt: "     \(field.prompt)")
        case (.consent, .form(let form)) where form.fields.isEmpty:
            return .ask(lines: lines, prompt: "Do you agree? [y/n] > ")
        case (.consent, .form): return .ask(lines: lines, prompt: "Send it? [Y]es, [n]o, [a]gain > ")
        case (.consent, .page):
            return .ask(lines: lines, prompt: "Do you agree to open it? [y/n] > ")
        case (.over, _), (.field, .page): return .ask(lines: lines, prompt: "")
        }
    }

    private mutating func end(_ answer: ElicitationAnswer) -> Step {
        self.state = .over
        return .answer(answer)
    }
}
