/// What is wrong with a scope, a limit or a list of models as somebody wrote it: a whole sentence.
package struct AccessProblem: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
