import BridgeAccess
import BridgeCore
import BridgeMCP

/// What somebody sees of the catalogue who was not granted all of it: the lists, each put together once for everybody with
/// the same scope. Confined to the event loop.
final class ScopedView {
    let scope: TokenScope
    /// Of the directory, when the lists were put together.
    private var generation = -1
    private var sections: [Offering: Catalogue.Section] = [:]

    init(_ scope: TokenScope) { self.scope = scope }

    /// The list of an offering in this generation of all lists; put together by `make` where it is not there.
    func section(
        _ offering: Offering, in generation: Int, make: () -> Catalogue.Section
    ) -> Catalogue.Section {
        if generation != self.generation {
            self.generation = generation
            self.sections = [:]
        }
        if let section = self.sections[offering] { return section }
        let section = make()
        self.sections[offering] = section
        return section
    }

    /// Whether any of a server is to be seen.
    func sees(_ server: String) -> Bool { self.scope.mayUse(server: server) }

    /// Whether all of it is: more than some of its tools.
    func seesAll(of server: String) -> Bool { self.scope.mayUseAll(of: server) }

    /// Whether an entry of a server may be seen and named.
    func has(_ entry: Catalogue.Entry, of offering: Offering) -> Bool {
        offering == .tools
            ? self.scope.mayCall(entry.ownName, of: entry.server) : self.scope.mayUseAll(of: entry.server)
    }

    /// Whether anything is kept.
    var isEmpty: Bool { self.sections.isEmpty }

    /// Lets go of the lists. They are put together again when somebody asks.
    func forget() { self.sections = [:] }
}

/// The views that keep lists: a bounded number of them. Confined to the event loop.
final class ScopedViews {
    static let maximum = 64

    /// The one whose lists were put together last is the last.
    private var views: [ScopedView] = []

    /// The list of an offering in a view; put together by `make` where it is not kept.
    func section(
        _ offering: Offering, of view: ScopedView, in generation: Int, make: () -> Catalogue.Section
    ) -> Catalogue.Section {
        if view.isEmpty {
            self.views.append(view)
            if self.views.count > Self.maximum { self.views.removeFirst().forget() }
        }
        return view.section(offering, in: generation, make: make)
    }
}

/// That lists are others, and which of their entries.
struct ListNews {
    let change: ListChange
    private var entries: [(offering: Offering, entry: Catalogue.Entry)] = []
    private(set) var servers: Set<String> = []

    init(_ change: ListChange) { self.change = change }

    mutating func add(_ entries: [Catalogue.Entry], of offering: Offering) {
        self.entries += entries.map { (offering, $0) }
        self.servers.formUnion(entries.map(\.server))
    }

    /// Whether any of it is to be seen by somebody.
    func concerns(_ view: ScopedView) -> Bool {
        guard self.servers.contains(where: view.sees) else { return false }
        return self.entries.contains { view.has($0.entry, of: $0.offering) }
    }
}
