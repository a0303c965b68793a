import ArgumentParser
import BridgeCore
import BridgeMCP

struct Tools: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tools", abstract: "List the tools that the service offers.")

    @OptionGroup var service: ServiceOptions

    @Flag(help: "The list as JSON, as a client gets it.")
    var json = false

    func run() throws { try EntryList.show([.tools], of: self.service, asJSON: self.json) }
}

struct Prompts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "List the prompts that the service offers.")

    @OptionGroup var service: ServiceOptions

    @Flag(help: "The list as JSON, as a client gets it.")
    var json = false

    func run() throws { try EntryList.show([.prompts], of: self.service, asJSON: self.json) }
}

struct Resources: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resources",
        abstract: "List the resources that the service offers, and the templates of further ones.")

    @OptionGroup var service: ServiceOptions

    @Flag(help: "The lists as JSON, one array with the entries as a client gets them.")
    var json = false

    func run() throws { try EntryList.show([.resources, .templates], of: self.service, asJSON: self.json) }
}

/// The entries of lists, for people or as they are.
enum EntryList {
    static func show(_ offerings: [Offering], of service: ServiceOptions, asJSON: Bool) throws {
        let client = try service.client()
        defer { client.close() }
        let entries = try offerings.flatMap { offering in try client.all(offering).map { (offering, $0) } }
        if asJSON {
            let list = JSONWriter.array { list in for (_, entry) in entries { list.element(entry) } }
            return ContentText.showAsJSON(list)
        }
        let kind = offerings.first?.name ?? ""
        guard !entries.isEmpty else { return StandardStreams.output("There are no \(kind).\n") }
        let rows = entries.map { offering, entry in
            let text =
                entry.string("description") ?? entry.string("title")
                ?? (offering.isNamed ? "" : entry.string("name") ?? "")
            let identity = entry.member(named: offering.identity.string).flatMap { entry[$0].string } ?? ""
            return [identity, String(text.split(whereSeparator: \.isNewline).first?.prefix(100) ?? "")].map(
                { PrintableText.line($0) })
        }
        let heading = offerings[0].singular.uppercased()
        StandardStreams.output(StatusTable.table([heading, "DESCRIPTION"], rows).joined(separator: "\n") + "\n")
    }
}
