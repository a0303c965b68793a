/// Text that somebody else has written, as a terminal may show it.
///
/// Nothing in it can move the cursor, change what stands elsewhere or turn the direction of reading around: control and
/// format characters become U+FFFD. The two that join letters stay, since some languages are written with them.
package enum PrintableText {
    /// All of it on one line.
    package static func line(_ text: some StringProtocol, limit: Int = 400) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard shown.count < limit else { return String(shown) + "…" }
            shown.append(Self.isLineBreak(scalar) || scalar == "\t" ? " " : Self.shown(scalar))
        }
        return String(shown)
    }

    /// Its lines. Whoever prints them puts something before each, so that none passes for the program's own.
    package static func lines(_ text: some StringProtocol, limit: Int = 4_000) -> [String] {
        var lines = [String.UnicodeScalarView()]
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else {
                lines[lines.count - 1].append("…")
                break
            }
            count += 1
            switch scalar {
            case "\n": lines.append(String.UnicodeScalarView())
            case "\r": continue
            case "\t": lines[lines.count - 1].append(contentsOf: "    ".unicodeScalars)
            default: lines[lines.count - 1].append(Self.isLineBreak(scalar) ? " " : Self.shown(scalar))
            }
        }
        while lines.count > 1, lines[lines.count - 1].isEmpty { lines.removeLast() }
        return lines.map { String($0) }
    }

    private static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
    }

    private static func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar == "\u{200C}" || scalar == "\u{200D}" { return scalar }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: return "\u{FFFD}"
        default: return scalar
        }
    }
}
