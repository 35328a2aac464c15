import EncodeNet
