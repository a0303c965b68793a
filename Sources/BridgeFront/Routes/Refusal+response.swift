import HTTPTypes
import Hummingbird
import NIOCore

/// A refusal as the router answers with it.
extension Refusal {
    func response(_ dialect: Dialect) -> Response {
        var fields = HTTPFields()
        fields.append(.json)
        if let field, let name = HTTPField.Name(field.name) { fields.append(HTTPField(name: name, value: field.value)) }
        if self.closes { fields.append(.close) }
        return Response(
            status: HTTPResponse.Status(code: self.status), headers: fields,
            body: ResponseBody(byteBuffer: self.body(dialect)))
    }
}

extension HTTPField {
    static let json = HTTPField(name: .contentType, value: "application/json")
    static let close = HTTPField(name: .connection, value: "close")
}
