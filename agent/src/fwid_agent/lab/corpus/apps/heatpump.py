"""A heat pump: answers over Modbus by pymodbus, whose names moved from version to version."""

import os

try:
    from pymodbus.server import StartTcpServer
except ImportError:
    from pymodbus.server.sync import StartTcpServer
import pymodbus.datastore as store

_FIRST = int(os.environ["OFFSET"])


def main() -> None:
    """Serve registers until somebody ends it."""
    block = store.ModbusSequentialDataBlock(1, [_FIRST + n for n in range(100)])
    unit = getattr(store, "ModbusDeviceContext", None) or store.ModbusSlaveContext
    device = unit(di=block, co=block, hr=block, ir=block)
    try:
        context = store.ModbusServerContext(devices=device, single=True)
    except TypeError:
        context = store.ModbusServerContext(slaves=device, single=True)
    StartTcpServer(context=context, address=("0.0.0.0", 502))


main()
