# The Debian package, by CPack: deploy/package.sh builds it.
include(GNUInstallDirs)
# The package is the gateway alone: its tests need not be built for it.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(here ${CMAKE_SOURCE_DIR}/deploy)
install(TARGETS contacts-gateway RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT gateway)
install(FILES ${here}/debian/gateway.json DESTINATION /etc/contacts-gateway COMPONENT package)
install(FILES ${here}/systemd/contacts-gateway.service ${here}/systemd/contacts-gateway.socket
        DESTINATION /lib/systemd/system COMPONENT package)
install(FILES README.md CHANGELOG.md ${here}/RUNBOOK.md ${here}/debian/copyright
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/contacts-gateway COMPONENT package)
install(FILES gateway/config/config.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/contacts-gateway COMPONENT package)
install(DIRECTORY ${here}/prometheus/rules DESTINATION ${CMAKE_INSTALL_DATADIR}/contacts-gateway/prometheus COMPONENT package)
install(DIRECTORY grafana/dashboards DESTINATION ${CMAKE_INSTALL_DATADIR}/contacts-gateway/grafana COMPONENT package)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME contacts-gateway)
set(CPACK_PACKAGE_CONTACT "Contacts Gateway maintainers <maintainers@example.com>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL gateway package)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${PROJECT_DESCRIPTION}\n Puts in the credentials, keeps each location within its rate limit, and answers repeated reads\n from a cache that never serves what was before an acknowledged write.")
# dpkg-shlibdeps finds the libraries' packages and their least versions.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates, init-system-helpers (>= 1.52)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server (>= 5:7), prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${here}/debian/postinst ${here}/debian/prerm ${here}/debian/postrm ${here}/debian/conffiles)
include(CPack)
