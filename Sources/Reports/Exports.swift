@_exported import EncodeNet
