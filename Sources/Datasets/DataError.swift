import FileFormats

/// Images from outside that are not what they should be.
public typealias DataError = FileError
