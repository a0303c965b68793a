import BridgeConfiguration
import BridgeCore
import BridgeMCP

extension UpstreamRoute {
    /// What of an offering is shown, and how.
    func filter(of offering: Offering) -> NameFilter {
        switch offering {
        case .tools: self.tools
        case .prompts: self.prompts
        case .resources, .templates: self.resources
        default: NameFilter()
        }
    }

    /// How long a request about an entry may go without an answer or progress.
    func timeout(of entry: Catalogue.Entry, in offering: Offering) -> Seconds {
        offering == .tools ? self.timeout(tool: entry.ownName) : self.callTimeout
    }

    var shown: CatalogueDisplay.Server {
        CatalogueDisplay.Server(
            name: self.name, prefix: self.prefix ?? self.name, tools: self.tools, prompts: self.prompts,
            resources: self.resources)
    }

    func source(of offering: Offering, listed: [JSONText]?) -> Catalogue.Source {
        Catalogue.Source(
            name: self.name, prefix: self.prefix ?? self.name, filter: self.filter(of: offering), entries: listed)
    }
}

extension SessionConfiguration {
    /// How lists are shown, for whoever has only the file of lists.
    var display: CatalogueDisplay {
        let safeNames: Bool? =
            switch self.names {
            case .dot: false
            case .safe: true
            case .auto: nil
            }
        return CatalogueDisplay(
            separator: self.separator, safeNames: safeNames, safeNamesFor: self.safeNamesFor,
            servers: self.upstreams.map(\.shown))
    }
}
