/// What a client that samples for us can take.
package struct SamplingAbilities: Sendable, Hashable {
    /// It declared `sampling.tools`. Only with ``takesLists``: the revision that brought the one brought the other.
    package var takesTools: Bool
    /// Content may be a list (from 2025-11-25 on). Before, a message holds one block.
    package var takesLists: Bool
    /// It knows sound (from 2025-03-26 on), and is not known to take it for something else.
    package var takesAudio: Bool
    /// Images may stay inside the results of tools.
    package var takesImagesInResults: Bool
    /// The revision has no `includeContext` (from 2026-07-28 on).
    package var isModern: Bool
    /// It is known to take no notice of a temperature, and of how long an answer may be.
    package var overlooksNumbers: Bool

    package init(
        takesTools: Bool = false, takesLists: Bool = true, takesAudio: Bool = false,
        takesImagesInResults: Bool = true, isModern: Bool = false, overlooksNumbers: Bool = false
    ) {
        self.takesTools = takesTools && takesLists
        self.takesLists = takesLists
        self.takesAudio = takesAudio
        self.takesImagesInResults = takesImagesInResults
        self.isModern = isModern
        self.overlooksNumbers = overlooksNumbers
    }
}
